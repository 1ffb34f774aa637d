import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { buildWeb } from "../support/build-web.ts";
import { type Browser, enter, eventually, openBrowser, videoState } from "../support/chromium.ts";
import { has } from "../support/debian.ts";
import { fixture } from "../support/fixtures.ts";
import { type Hands, keyboard, pointer } from "../support/hands.ts";
import { startTestKinora, type TestKinora, TestUser } from "../support/kinora.ts";

const PASSWORD = "correct horse battery";

const ways = [
  ["with a pointer", 1280, pointer],
  ["with the keyboard alone", 390, keyboard],
  ...(process.env.KINORA_TEST_LONG
    ? ([
        ["with a pointer", 390, pointer],
        ["with the keyboard alone", 1280, keyboard],
      ] as const)
    : []),
] as const;

/** The tasks that everybody has, found by nothing but roles and names, as a screen reader tells them. */
describe.skipIf(!has("chromium", "ffmpeg")).each(ways)("%s, %d px wide, by roles and names", (...[, width, hands]) => {
  let kinora: TestKinora;
  let browser: Browser;
  let page: Page;
  let hand: Hands;
  let address = "";

  beforeAll(async () => {
    await buildWeb();
    kinora = await startTestKinora();
    const maria = await TestUser.signIn(kinora, "maria", PASSWORD);
    const [short, minute] = await Promise.all([fixture("h264-only.mp4"), fixture("h264-aac-60s.mp4")]);
    for (const [name, file] of [
      ["Concert in the hall", short],
      ["Harbour at dawn", minute],
      ["Night train", short],
    ] as const) {
      const { id } = await maria.upload(file, { name });
      await maria.send("PATCH", `/api/titles/${id}`, { visibility: "members" });
    }
    browser = await openBrowser(kinora.url, { width, height: 844 }, []);
    page = browser.page;
    hand = hands(page);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await kinora?.close();
  });

  const button = (name: string | RegExp) => page.getByRole("button", { name, exact: true });
  const link = (name: string) => page.getByRole("link", { name, exact: true });
  const said = (text: string | RegExp) => page.getByRole("status").filter({ hasText: text }).first().waitFor();

  test("one signs up", async () => {
    await page.goto("/");
    await hand.type(page.getByRole("textbox", { name: "Name" }), "ingrid");
    await hand.type(page.getByLabel("Password").first(), PASSWORD);
    await hand.press(button("Continue"));
    await hand.type(page.getByLabel("Password, once more"), PASSWORD);
    await hand.press(button("Create account"));
    await page.getByRole("heading", { name: "Library" }).waitFor();
  });

  test("one finds a video by half of its name", async () => {
    await hand.press(link("Library"));
    await said("3 videos");
    await hand.type(page.getByRole("searchbox", { name: "Search" }), "arbou");
    await said("1 video");
    await link("Harbour at dawn").waitFor();
  });

  test("one watches it, and later goes on where one stopped", async () => {
    const playsFrom = (seconds: number) =>
      eventually("it plays", async () => ((await videoState(page))?.currentTime ?? 0) > seconds + 0.2);
    await hand.press(link("Harbour at dawn"));
    await playsFrom(0);
    await hand.halve(page.getByRole("slider", { name: "seek" }));
    await playsFrom(28);
    await hand.press(link("Library"));
    await said("3 videos");
    await hand.press(
      page.getByRole("region", { name: "Continue watching" }).getByRole("link", { name: "Harbour at dawn" }),
    );
    await said(/Resumed at 0:(29|3\d)/);
    await playsFrom(28);
  });

  test("one uploads two files and tags both", async () => {
    await hand.press(link("Upload"));
    const files = await Promise.all([fixture("h264-aac.mp4"), fixture("h264-only.mp4")]);
    await hand.chooseFiles(page.getByLabel(/Choose videos/), files);
    await hand.press(button("Upload 2 videos"));
    await said("2 videos");
    await hand.press(button("Select"));
    for (const name of [/^Select h264-aac/, /^Select h264-only/])
      await hand.check(page.getByRole("checkbox", { name }));
    await said("2 selected");
    await hand.press(button("Tag"));
    const dialog = page.getByRole("dialog", { name: "Tag 2 videos" });
    await hand.type(dialog.getByRole("textbox", { name: /^Add these tags/ }), "test card");
    await hand.press(dialog.getByRole("button", { name: "Apply" }));
    await said("2 videos changed.");
    await eventually("both have it", async () => (await page.getByRole("button", { name: "test card" }).count()) === 2);
  });

  test("one takes that back", async () => {
    await hand.press(button("Undo"));
    await said("2 videos are as they were.");
    await eventually("none has it", async () => (await page.getByRole("button", { name: "test card" }).count()) === 0);
  });

  test("one makes a collection and shares it by link", async () => {
    await hand.press(button("Select"));
    for (const name of [/^Select h264-aac/, /^Select h264-only/])
      await hand.check(page.getByRole("checkbox", { name }));
    await hand.press(button("Add to collection"));
    await hand.type(page.getByRole("textbox", { name: "New collection" }), "An evening");
    await hand.press(button("Create and add"));
    await hand.press(button("Show"));
    await page.getByRole("heading", { name: "An evening" }).waitFor();
    await hand.press(button("Share"));
    await hand.press(button("Make a link"));
    await said("The link is there.");
    address = await page.getByRole("textbox", { name: "Link" }).inputValue();
    expect(await opens(address)).toBe(200);
  });

  test("one revokes the link", async () => {
    await hand.press(page.getByRole("button", { name: /^Revoke the link made/ }));
    await said("The link is revoked.");
    expect(await opens(address)).toBe(401);
  });

  test("had no error in the console, no breach of the policy, and asked nobody else for anything", () => {
    expect(browser.troubles).toEqual([]);
  });
});

/** What whoever has the link of a collection is answered, without an account. */
async function opens(address: string): Promise<number> {
  const { origin, pathname, search } = new URL(address);
  return (await fetch(`${origin}/api${pathname}${search}`)).status;
}

describe.skipIf(!has("chromium", "ffmpeg"))("by roles and names, on a phone's width", () => {
  let kinora: TestKinora;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    await buildWeb();
    kinora = await startTestKinora();
    const maria = await TestUser.signIn(kinora, "maria", PASSWORD);
    const file = await fixture("h264-only.mp4");
    for (const name of ["Harbour at dawn", "Concert in the hall", "Night train"]) await maria.upload(file, { name });
    browser = await openBrowser(kinora.url, { width: 390, height: 844 });
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

  test("one marks a favourite and sees only those", async () => {
    await link("Library").click();
    await button("Favourite: Harbour at dawn").click();
    await button("Filters").click();
    await button("Favourites").click();
    await said("1 video");
    await page.keyboard.press("Escape");
    await button("Favourites; remove").click();
    await said("3 videos");
  });

  test("one selects a range with the keyboard, deletes it and takes that back", async () => {
    await link("My videos").click();
    await button("Select").press("Enter");
    await page.getByRole("checkbox", { name: "Select Concert" }).focus();
    await page.keyboard.press("Space");
    await page.keyboard.press("Shift+ArrowDown");
    await said("2 selected");
    await page.keyboard.press("x");
    await said("1 selected");
    await page.keyboard.press("x");
    await said("2 selected");
    expect(await page.getByRole("checkbox", { name: /^Select Harbour/ }).isChecked()).toBe(true);
    await button("Delete").press("Enter");
    await said("2 videos deleted.");
    await said("1 video");
    await button("Undo").press("Enter");
    await said("2 videos are back.");
    await said("3 videos");
  });

  test("one orders a collection with the arrows", async () => {
    await button("Select").click();
    for (const name of [/^Select Night/, /^Select Concert/, /^Select Harbour/])
      await page.getByRole("checkbox", { name }).check();
    await button("Add to collection").click();
    await page.getByRole("textbox", { name: "New collection" }).fill("An evening");
    await button("Create and add").click();
    await button("Show").click();
    await button("Move Harbour at dawn, now 3").focus();
    await page.keyboard.press("ArrowUp");
    await said("Harbour at dawn is now 2 of 3");
    await page.keyboard.press("ArrowUp");
    await said("Harbour at dawn is now 1 of 3");
    const handle = button("Move Harbour at dawn, now 1");
    expect(await handle.evaluate((element) => element === document.activeElement)).toBe(true);
    const names = page.getByRole("list", { name: "Videos" }).getByRole("link");
    expect(await names.allTextContents()).toEqual(["Harbour at dawn", "Night train", "Concert in the hall"]);
  });

  test("one switches to Spanish and to dark, which is kept", async () => {
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

  test("had no error in the console, no breach of the policy, and asked nobody else for anything", () => {
    expect(browser.troubles).toEqual([]);
  });
});
