import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { buildWeb } from "../support/build-web.ts";
import { type Browser, enter, eventually, openBrowser } from "../support/chromium.ts";
import { has } from "../support/debian.ts";
import { fixture } from "../support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../support/kinora.ts";

const PASSWORD = "correct horse battery";

/** Whole tasks, found by nothing but roles and names, as a screen reader tells them. */
describe.skipIf(!has("chromium", "ffmpeg")).each([1280, 390])("by roles and names alone, %d px wide", (width) => {
  let kinora: TestKinora;
  let maria: TestUser;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    await buildWeb();
    kinora = await startTestKinora();
    maria = await TestUser.signIn(kinora, "maria", PASSWORD);
    const file = await fixture("h264-only.mp4");
    for (const name of ["Harbour at dawn", "Concert in the hall", "Night train"]) await maria.upload(file, { name });
    // A link that was revoked is answered with 401, which Chromium logs.
    browser = await openBrowser(kinora.url, { width, height: 844 }, [/401 .*\/api\/(collections|titles)/]);
    page = browser.page;
    await page.goto("/sign-in");
    await enter(page, "maria", PASSWORD);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await kinora?.close();
  });

  const button = (name: string | RegExp) => page.getByRole("button", { name, exact: true });
  const link = (name: string) => page.getByRole("link", { name, exact: true });
  const said = (text: string | RegExp) => page.getByRole("status").filter({ hasText: text }).first().waitFor();

  test("one finds a video by half of its name and marks it as a favourite", async () => {
    await link("Library").click();
    await page.getByRole("searchbox", { name: "Search" }).fill("arbou");
    await said("1 video");
    await button("Favourite: Harbour at dawn").click();
    await eventually(
      "it is one",
      async () => (await button("Favourite: Harbour at dawn").getAttribute("aria-pressed")) === "true",
    );
    await page.getByRole("searchbox", { name: "Search" }).fill("");
    await said("3 videos");
    await button("Filters").click();
    await button("Favourites").click();
    await said("1 video");
    await page.keyboard.press("Escape");
    await button("Favourites; remove").click();
    await said("3 videos");
  });

  test("one uploads two files and tags both", async () => {
    await link("Upload").click();
    const [first, second] = await Promise.all([fixture("h264-aac.mp4"), fixture("h264-only.mp4")]);
    await page.getByLabel(/Choose videos/).setInputFiles([first, second]);
    await button("Upload 2 videos").click();
    await page.getByRole("radio", { name: /h264-aac/ }).waitFor({ state: "attached" });
    await button("Select").click();
    for (const name of [/^h264-aac/, /^h264-only/]) await page.getByRole("checkbox", { name }).check();
    await said("2 selected");
    await button("Tag").click();
    const dialog = page.getByRole("dialog", { name: "Tag 2 videos" });
    await dialog.getByLabel("Add these tags").fill("test card");
    await dialog.getByRole("button", { name: "Apply" }).click();
    await said("2 videos changed.");
    await page.getByRole("radio", { name: /h264-aac/ }).waitFor({ state: "attached" });
    const { items } = (await (await maria.get("/api/titles?tag=test%20card")).json()) as { items: unknown[] };
    expect(items).toHaveLength(2);
  });

  test("one selects a range with the keyboard, deletes it and takes that back", async () => {
    await link("My videos").click();
    await button("Select").press("Enter");
    await page.getByRole("checkbox", { name: /^Concert/ }).focus();
    await page.keyboard.press("Space");
    await page.keyboard.press("Shift+ArrowDown");
    await said("2 selected");
    expect(await page.getByRole("checkbox", { name: /^Harbour/ }).isChecked()).toBe(true);
    await button("Delete").press("Enter");
    await said("2 videos deleted.");
    await said("3 videos");
    await button("Undo").press("Enter");
    await said("2 videos are back.");
    await said("5 videos");
  });

  test("one makes a collection, orders it with the arrows, shares it by link and revokes the link", async () => {
    await link("My videos").click();
    await button("Select").click();
    for (const name of [/^Night/, /^Concert/, /^Harbour/]) await page.getByRole("checkbox", { name }).check();
    await button("Add to collection").click();
    await page.getByRole("textbox", { name: "New collection" }).fill("An evening");
    await button("Create and add").click();
    await button("Show").click();
    await page.getByRole("heading", { name: "An evening" }).waitFor();
    await button("Move Harbour at dawn, now 3").focus();
    await page.keyboard.press("ArrowUp");
    await said("Harbour at dawn is now 2 of 3");
    await page.keyboard.press("ArrowUp");
    await said("Harbour at dawn is now 1 of 3");
    expect(await button("Move Harbour at dawn, now 1").evaluate((handle) => handle === document.activeElement)).toBe(
      true,
    );
    await button("Share").click();
    await button("Make a link").click();
    const address = await page.getByRole("textbox", { name: "Link" }).inputValue();
    const stranger = await openBrowser(kinora.url, { width }, [/401/]);
    await stranger.page.goto(address);
    await stranger.page.getByRole("heading", { name: "An evening" }).waitFor();
    const names = stranger.page.getByRole("list", { name: "Videos" }).getByRole("link");
    await eventually("the videos are there", async () => (await names.count()) === 3);
    expect(await names.allTextContents()).toEqual(["Harbour at dawn", "Night train", "Concert in the hall"]);
    await button("Revoke").click();
    await said("The link is revoked.");
    await stranger.page.reload();
    await stranger.page.getByRole("alert").filter({ hasText: "This link has expired or was revoked." }).waitFor();
    await stranger.close();
  });

  test("one switches to Spanish and to dark, which is kept", async () => {
    await page.keyboard.press("Escape");
    await button("Account of maria").click();
    await button("Dark").click();
    await button("Español").click();
    await link("Biblioteca").waitFor();
    await page.reload();
    await page.getByRole("link", { name: "Colecciones" }).waitFor();
    expect(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dataset.theme])).toEqual([
      "es",
      "dark",
    ]);
  });

  test("had no other error in the console, no breach of the policy, and asked nobody else for anything", () => {
    expect(browser.troubles).toEqual([]);
  });
});
