import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Page, Request } from "playwright-core";
import type { Title } from "../../src/catalog/contract.ts";
import { faultsOf } from "../support/axe.ts";
import { buildWeb } from "../support/build-web.ts";
import { type Browser, enter, eventually, leave, openBrowser } from "../support/chromium.ts";
import { has } from "../support/debian.ts";
import { fixture } from "../support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../support/kinora.ts";

const PASSWORD = "correct horse battery";

describe.skipIf(!has("chromium", "ffmpeg"))("several windows of one browser", () => {
  let kinora: TestKinora;
  let maria: TestUser;
  let browser: Browser;
  const pages: Page[] = [];
  /** The requests for events that are open, by page. */
  const open = new Map<Request, Page>();
  const leaders = () => [...open.values()].filter((page) => !page.isClosed());
  const uploads = async (name: string) => maria.upload(await fixture("h264-only.mp4"), { name });
  const allHearOf = async (name: string, among: readonly Page[]) => {
    await uploads(name);
    for (const page of among) await page.getByText(name, { exact: true }).waitFor();
  };

  beforeAll(async () => {
    await buildWeb();
    kinora = await startTestKinora();
    maria = await TestUser.signIn(kinora, "maria", PASSWORD);
    // A page that was signed out in another window asks who is here, and hears 401.
    browser = await openBrowser(kinora.url, {}, [/401 .*\/api\//]);
    const { context, page } = browser;
    context.on("response", (response) => {
      const request = response.request();
      if (request.url().endsWith("/api/events")) open.set(request, request.frame().page());
    });
    for (const end of ["requestfinished", "requestfailed"] as const)
      context.on(end as "requestfinished", (request) => void open.delete(request));
    await page.goto("/sign-in");
    await enter(page, "maria", PASSWORD);
    pages.push(page, await context.newPage(), await context.newPage(), await context.newPage());
    for (const each of pages) await each.goto("/library");
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await kinora?.close();
  });

  test("hear of what happens by the connection of one of them", async () => {
    await eventually(
      "one is connected",
      async () => leaders().length === 1,
      15_000,
      async () => leaders().length,
    );
    await allHearOf("Harbour", pages);
    expect(leaders()).toHaveLength(1);
  });

  test("go on when the one that has it is closed", async () => {
    const [leader] = leaders();
    await leader?.close();
    const left = pages.filter((page) => page !== leader);
    await eventually("another one is connected", async () => leaders().length === 1);
    await allHearOf("Concert", left);
  });

  test("go on when the one that has it stands still, and share one again when it moves", async () => {
    const [leader] = leaders();
    if (!leader) throw new Error("none is connected");
    const session = await browser.context.newCDPSession(leader);
    await session.send("Debugger.enable");
    await session.send("Debugger.pause");
    // It stops at the next statement.
    void session.send("Runtime.evaluate", { expression: "1" }).catch(() => undefined);
    const left = pages.filter((page) => page !== leader && !page.isClosed());
    await eventually("another one is connected", async () => leaders().some((page) => page !== leader), 20_000);
    await allHearOf("Night train", left);
    await session.send("Debugger.resume");
    await session.send("Debugger.disable");
    await eventually("one is left", async () => leaders().length === 1, 20_000);
    await allHearOf(
      "Dunes",
      pages.filter((page) => !page.isClosed()),
    );
  });

  test("do not overwrite each other's edits: what both have changed is shown side by side, and one chooses", async () => {
    const { id } = await uploads("Shared");
    const at = `/api/titles/${id}`;
    const [page] = pages.filter((each) => !each.isClosed());
    if (!page) throw new Error("All windows are closed.");
    // Windows behind others draw once in a second.
    await page.bringToFront();
    await page.goto(`/watch/${id}`);
    await page.getByRole("button", { name: "Edit" }).click();
    const form = page.getByRole("form", { name: "Edit" });
    await form.getByLabel("Name").fill("Mine");
    await form.getByLabel("Tags").fill("mine");
    await maria.send("PATCH", at, { name: "Theirs", description: "Written elsewhere" });
    await maria.send("POST", `${at}/tags`, { tags: ["theirs"] });
    await form.getByRole("button", { name: "Save" }).click();
    await form.getByText("Somebody else changed this").waitFor();
    expect(await form.getByRole("status", { name: "Name, as it was saved" }).innerText()).toBe("Theirs");
    expect(await faultsOf(page)).toEqual([]);
    // What was typed is still there; what only the other has changed is taken.
    expect(await form.getByRole("textbox", { name: "Name" }).inputValue()).toBe("Mine");
    expect(await form.getByLabel("Description").inputValue()).toBe("Written elsewhere");
    await form.getByRole("button", { name: "Take theirs: Name" }).click();
    expect(await form.getByRole("textbox", { name: "Name" }).inputValue()).toBe("Theirs");
    await form.getByRole("button", { name: "Take mine again: Name" }).click();
    await form.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "Mine" }).waitFor();
    const saved = (await (await maria.get(at)).json()) as Title;
    expect(saved).toMatchObject({ name: "Mine", description: "Written elsewhere" });
    expect(saved.tags.toSorted()).toEqual(["mine", "theirs"]);
    // And a window that is looked at again shows what was changed elsewhere.
    await maria.send("PATCH", at, { name: "Later" });
    await eventually("the other name is shown", async () => {
      await page.bringToFront();
      await page.evaluate(() => void dispatchEvent(new Event("focus")));
      return page.getByRole("heading", { name: "Later" }).isVisible();
    });
    await page.goto("/library");
  });

  test("are all signed out by one of them, and none keeps a connection", async () => {
    const left = pages.filter((page) => !page.isClosed());
    const [first] = left;
    await first?.bringToFront();
    if (first) await leave(first);
    for (const page of left) await page.waitForURL(/\/sign-in/);
    await eventually("none is connected", async () => leaders().length === 0);
  });

  test("had no error in the console, no breach of the policy, and asked nobody else for anything", () => {
    expect(browser.troubles).toEqual([]);
  });
});
