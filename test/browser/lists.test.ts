import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Locator, Page } from "playwright-core";
import { buildWeb } from "../support/build-web.ts";
import { type Browser, enter, eventually, openBrowser, turnWheel, videoState } from "../support/chromium.ts";
import { has } from "../support/debian.ts";
import { fixture } from "../support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../support/kinora.ts";

const PASSWORD = "correct horse battery";

describe.skipIf(!has("chromium", "ffmpeg"))("in the lists of videos", () => {
  let kinora: TestKinora;
  let browser: Browser;
  let page: Page;
  const ids = new Map<string, string>();
  const idOf = (name: string) => ids.get(name) ?? "";
  const addressOf = () => new URL(page.url()).pathname + new URL(page.url()).search;
  const chosen = () => page.locator(".row:has(input:checked) .name").textContent();

  beforeAll(async () => {
    await buildWeb();
    kinora = await startTestKinora();
    const jonas = await TestUser.signIn(kinora, "jonas", PASSWORD);
    const maria = await TestUser.signIn(kinora, "maria", PASSWORD);
    const file = await fixture("h264-aac-60s.mp4");
    const give = async (who: TestUser, name: string, tags: string[] = []) => {
      const { id } = await who.upload(file, { name, tags });
      ids.set(name, id);
      return id;
    };
    const shared = await give(jonas, "Sailing lesson", ["boats"]);
    await jonas.send("PATCH", `/api/titles/${shared}`, { visibility: "members" });
    for (let number = 1; number <= 58; number++) await give(maria, `Video ${number}`);
    await give(maria, "The harbour at dawn", ["sea"]);
    const own = await give(maria, "Concert");
    await maria.send("PATCH", `/api/titles/${own}`, { visibility: "public" });
    // An id that nothing has, and a deleted video, are answered with 404, which Chromium logs.
    browser = await openBrowser(kinora.url, { height: 700 }, [/404 .*\/api\/titles\/[0-9a-f-]{36}$/]);
    page = browser.page;
    await page.goto("/");
    await enter(page, "maria", PASSWORD);
    await page.waitForURL(/\/videos$/);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await kinora?.close();
  });

  const choose = (name: string) =>
    page.locator(".row", { has: page.getByText(name, { exact: true }) }).click({ position: { x: 500, y: 10 } });
  const show = async (view: string) => {
    await page.goto("/videos");
    await page.locator(".cells").waitFor();
    const wanted = page.getByRole("button", { name: `Show as ${view}` });
    if ((await wanted.count()) > 0) await wanted.click();
    await page.locator(`.cells[data-view=${view}]`).waitFor();
  };
  const plays = () => eventually("it plays", async () => ((await videoState(page))?.currentTime ?? 0) > 0.3);
  /** A double click whose second half comes when the next page is there already. */
  const slowDoubleClick = async (target: Locator) => {
    const box = await target.boundingBox();
    if (!box) throw new Error("not on the page");
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.mouse.click(x, y);
    await page.waitForURL(/\/watch\//);
    await plays();
    for (const move of ["down", "up"] as const) await page.mouse[move]({ clickCount: 2 });
  };
  const isCovered = async (button: Locator, by: Locator) => {
    const [a, b] = [await button.boundingBox(), await by.boundingBox()];
    if (!a || !b) throw new Error("not on the page");
    return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
  };

  test("a double click on Play plays, and does nothing else", async () => {
    await page.goto("/videos");
    await choose("The harbour at dawn");
    await slowDoubleClick(page.getByRole("button", { name: "Play" }));
    await Bun.sleep(200);
    expect(addressOf()).toBe(`/watch/${idOf("The harbour at dawn")}`);
    expect(await page.getByRole("button", { name: "Edit" }).getAttribute("aria-expanded")).toBe("false");
    expect(await videoState(page)).toMatchObject({ paused: false });
  });

  test.each(["list", "grid"])("in the %s, name and picture play at once, also with a double click", async (view) => {
    await show(view);
    await slowDoubleClick(page.locator(".cell", { hasText: "Video 58" }).locator(".cover"));
    await Bun.sleep(500);
    expect(await videoState(page)).toMatchObject({ paused: false });
    await page.goto("/videos");
    await page.getByText("Video 57", { exact: true }).click();
    await page.waitForURL(`**/watch/${idOf("Video 57")}`);
  });

  test("beside them, a row is chosen by one click and played by two; who comes back finds what was played", async () => {
    await show("list");
    await choose("Video 56");
    expect(addressOf()).toBe("/videos");
    expect(await chosen()).toBe("Video 56");
    await page.locator(".row", { hasText: "Video 55" }).dblclick({ position: { x: 500, y: 10 } });
    await page.waitForURL(`**/watch/${idOf("Video 55")}`);
    await page.goBack();
    await page.getByText("Video 54", { exact: true }).click();
    await page.waitForURL(`**/watch/${idOf("Video 54")}`);
    await page.goBack();
    await page.getByRole("radio").first().waitFor({ state: "attached" });
    expect(await chosen()).toBe("Video 54");
  });

  test.each(["list", "grid"])(
    "in the %s, one selects by the mark in the corner, and a range with Shift",
    async (view) => {
      await show(view);
      const cell = (name: string) => page.locator(".cell", { has: page.getByText(name, { exact: true }) });
      await cell("Video 58").hover();
      await page.getByRole("button", { name: "Select Video 58", exact: true }).click();
      await page.getByText("1 selected").waitFor();
      await page.getByText("Video 56", { exact: true }).click({ modifiers: ["Shift"] });
      await page.getByText("3 selected").waitFor();
      await page.getByText("Video 57", { exact: true }).click();
      await page.getByText("2 selected").waitFor();
      expect(addressOf()).toBe("/videos");
      await page.keyboard.press("Escape");
      await page.getByText("Video 55", { exact: true }).click({ modifiers: ["Shift"] });
      await page.getByText("1 selected").waitFor();
      expect(await page.getByRole("checkbox", { name: "Select Video 55", exact: true }).isChecked()).toBe(true);
      await page.keyboard.press("Escape");
      await show("list");
    },
  );

  test("the watch page begins at its top", async () => {
    await page.goto("/videos");
    await page.getByRole("radio").first().waitFor({ state: "attached" });
    await page.mouse.move(400, 400);
    await page.mouse.wheel(0, 600);
    await page.getByText("Video 50", { exact: true }).click();
    await page.waitForURL(/\/watch\//);
    await plays();
    expect(await page.evaluate(() => scrollY)).toBe(0);
    expect(await page.evaluate(() => document.activeElement?.localName)).toBe("h1");
  });

  test("back from a video leads to the same place in the list, with the same one chosen", async () => {
    await page.goto("/videos");
    await page.getByText("50+ videos").waitFor();
    await page.mouse.move(400, 400);
    await eventually("the end is there", async () => {
      await page.mouse.wheel(0, 9000);
      return (
        (await page.getByText("60 videos").count()) > 0 &&
        (await page.getByText("Video 4", { exact: true }).count()) > 0
      );
    });
    await choose("Video 4");
    const before = await page.evaluate(() => scrollY);
    expect(before).toBeGreaterThan(2000);
    await page.getByRole("button", { name: "Play" }).click();
    await page.waitForURL(/\/watch\//);
    await plays();
    await page.goBack();
    await page.getByText("60 videos").waitFor();
    await eventually("the place is the same", async () => (await page.evaluate(() => scrollY)) === before);
    expect(await chosen()).toBe("Video 4");
    await page.reload();
    await eventually("so it is after a reload", async () => (await page.evaluate(() => scrollY)) === before);
    expect(await chosen()).toBe("Video 4");
  });

  /** The name of the video that has the focus in the list; else what has it. */
  const focused = () =>
    page.evaluate(() => {
      const { activeElement } = document;
      return activeElement?.closest("[data-cell]")?.querySelector(".name")?.textContent ?? activeElement?.localName;
    });

  test.each([
    ["grid", "Enter on its card", (item: Locator) => item.locator("a.stop").press("Enter")],
    ["grid", "a press on its picture", (item: Locator) => item.locator(".cover").click({ force: true })],
    ["list", "Enter on its row", (item: Locator) => item.locator("input.stop").press("Enter")],
    ["list", "a press on its name", (item: Locator) => item.locator("a.name").click()],
  ])(
    "back from a video of the %s that was opened by %s, it has the focus at its place before the server answers",
    async (view, _way, open) => {
      // A page of its own: going to an address where one is keeps what that entry of the history remembers.
      await page.goto("/upload");
      await show(view);
      const item = page.locator(".cell", { has: page.getByText("Video 30", { exact: true }) });
      await page.mouse.move(400, 400);
      await eventually("it is near", async () => {
        await turnWheel(page, 300);
        return (await item.count()) > 0;
      });
      await item.locator(".stop").scrollIntoViewIfNeeded();
      if (view === "list") await choose("Video 30");
      await page.getByText("60 videos").or(page.getByText("50+ videos")).waitFor();
      const before = await page.evaluate(() => scrollY);
      await open(item);
      await page.waitForURL(`**/watch/${idOf("Video 30")}`);
      await page.getByRole("button", { name: "Edit" }).waitFor();
      const lists = /\/api\/titles(\?|$)/;
      await page.route(lists, () => new Promise(() => {}));
      await page.goBack();
      await eventually("it has the focus", async () => (await focused()) === "Video 30", 5_000, focused);
      const left = await page.evaluate(() => history.state);
      expect(await page.evaluate(() => scrollY)).toBe(left.scrollY);
      expect(Math.abs(left.scrollY - before)).toBeLessThan(200);
      expect(await page.locator(".cell").count()).toBeLessThan(60);
      await page.unroute(lists);
      await page.reload();
      await eventually("so it is after a reload", async () => (await focused()) === "Video 30", 15_000, focused);
    },
  );

  test("back in a list, a video is as it was changed meanwhile, and a deleted one is not there", async () => {
    await page.goto("/upload");
    await show("grid");
    await page.getByText("Video 53", { exact: true }).click();
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByLabel("Name", { exact: true }).fill("Video 53 b");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "Video 53 b" }).waitFor();
    const lists = /\/api\/titles(\?|$)/;
    await page.route(lists, () => new Promise(() => {}));
    await page.goBack();
    await page.getByText("Video 53 b", { exact: true }).waitFor();
    await page.goForward();
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByRole("button", { name: "Delete video" }).click();
    await page.waitForURL(/\/videos$/);
    await page.goBack();
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.goBack();
    await page.getByText("Video 54", { exact: true }).waitFor();
    expect(await page.getByText("Video 53 b", { exact: true }).count()).toBe(0);
    await page.unroute(lists);
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("Video 53 b", { exact: true }).waitFor();
    await show("list");
  });

  test("deleting is undone in the list, where the video is chosen again; nothing covers Play", async () => {
    await page.goto(`/watch/${idOf("Video 7")}`);
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByRole("button", { name: "Delete video" }).click();
    await page.waitForURL(/\/videos$/);
    const undo = page.getByRole("button", { name: "Undo" });
    await undo.waitFor();
    await page.getByText("50+ videos").waitFor();
    const [play, notice] = [page.getByRole("button", { name: "Play" }), page.locator(".notice")];
    expect(await isCovered(play, notice)).toBe(false);
    await page.getByLabel("Search").fill("Concert");
    await page.getByText("1 video", { exact: true }).waitFor();
    expect(await isCovered(play, notice)).toBe(false);
    await page.getByLabel("Search").fill("");
    await page.getByText("50+ videos").waitFor();
    await page.mouse.wheel(0, 9000);
    await page.getByText("59 videos").waitFor();
    await page.mouse.wheel(0, 9000);
    expect(await isCovered(play, notice)).toBe(false);
    await undo.click();
    await page.waitForURL(`**/videos?selected=${idOf("Video 7")}`);
    await eventually("it is chosen", async () => (await page.getByRole("radio", { name: "Video 7" }).count()) === 1);
    expect(await chosen()).toBe("Video 7");
    await page.getByText("60 videos").waitFor();
  });

  test("deleting is undone from another page without leaving it", async () => {
    await page.goto(`/watch/${idOf("Video 8")}`);
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByRole("button", { name: "Delete video" }).click();
    await page.waitForURL(/\/videos$/);
    await page.getByRole("link", { name: "Upload", exact: true }).click();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("“Video 8” is back.").waitFor();
    expect(addressOf()).toBe("/upload");
    await page.getByRole("button", { name: "Show" }).click();
    await page.waitForURL(`**/videos?selected=${idOf("Video 8")}`);
    await eventually("it is chosen", async () => (await page.getByRole("radio", { name: "Video 8" }).count()) === 1);
    expect(await chosen()).toBe("Video 8");
  });

  const names = () => page.locator(".cell .name").allTextContents();
  /** All names of a list that is longer than what is in the document at one time. */
  const allNames = async (count: number) => {
    const seen = new Set<string>();
    await page.mouse.move(400, 400);
    await page.evaluate(() => scrollTo(0, 0));
    await eventually("all were seen", async () => {
      const now = await names();
      expect(now.length).toBeLessThan(30);
      expect(new Set(now).size).toBe(now.length);
      for (const name of now) seen.add(name);
      await turnWheel(page, 350);
      return seen.size >= count;
    });
    return seen.size;
  };
  const search = async (text: string, expected: string) => {
    await page.getByLabel("Search").fill(text);
    await page.getByText(expected, { exact: true }).waitFor();
  };

  test("a search finds half a word of a name, and each video once", async () => {
    await page.goto("/videos");
    await search("arbou", "1 video");
    expect(await names()).toEqual(["The harbour at dawn"]);
    await search("ideo 5", "10 videos");
    await search("video 5", "10 videos");
    expect(new Set(await names()).size).toBe(10);
    await search("deo", "50+ videos");
    expect(await allNames(58)).toBe(58);
    await page.getByText("58 videos").waitFor();
  });

  test("a search finds a video by its id and by that of its content", async () => {
    const id = idOf("Sailing lesson");
    await page.goto("/library");
    await search(id.toUpperCase(), "1 video");
    expect(await names()).toEqual(["Sailing lesson"]);
    const { mediaId } = await page.evaluate(
      async (address) => (await (await fetch(address)).json()) as { mediaId: string },
      `/api/titles/${id}`,
    );
    await search(` ${mediaId} `, "1 video");
  });

  test("the filters of my videos offer my tags, those of the library all that I see", async () => {
    const tags = page.getByRole("group", { name: "Tag", exact: true });
    const offered = (expected: readonly string[]) =>
      eventually(
        `${expected.join(", ")} are offered`,
        async () => (await tags.getByRole("button").allTextContents()).join() === expected.join(),
        15_000,
        () => tags.getByRole("button").allTextContents(),
      );
    await page.goto("/videos");
    await page.getByRole("button", { name: "Filters" }).click();
    await offered(["sea"]);
    await tags.getByRole("searchbox").fill("b");
    await offered([]);
    await tags.getByRole("searchbox").fill("SÉ");
    await offered(["sea"]);
    await page.goto("/library");
    await page.getByRole("button", { name: "Filters" }).click();
    await offered(["boats", "sea"]);
  });

  test("a search without a result says where it looked", async () => {
    await page.goto("/videos");
    await page.getByLabel("Search").fill("00000000-0000-7000-8000-000000000000");
    await page.getByRole("heading", { name: "Nothing fits" }).waitFor();
    await page.goto("/videos?tag=sea");
    await page.getByLabel("Search").fill("sailing");
    await page.getByText("None of your videos has “sailing” in its name").waitFor();
    await page.getByText("together with the tag “sea”").waitFor();
    await page.goto("/videos?q=sailing");
    await page.getByRole("link", { name: "Search the library" }).click();
    await page.waitForURL(/\/library\?q=sailing$/);
    await page.getByText("1 video", { exact: true }).waitFor();
  });

  test("the library says of my own videos who sees them", async () => {
    await page.goto("/library");
    await page.getByRole("button", { name: "Show as list" }).click();
    const row = (name: string) => page.locator(".row", { hasText: name }).locator(".meta").textContent();
    await page.getByText("Concert").waitFor();
    expect(await row("Concert")).toContain("mariaPublic");
    expect(await row("The harbour")).toContain("mariaPrivate");
    await page.getByLabel("Search").fill("sailing");
    await page.getByText("1 video", { exact: true }).waitFor();
    expect(await row("Sailing")).not.toContain("Members");
  });

  test("the library begins with what was begun, the last watched first, until something is searched", async () => {
    const maria = await TestUser.signIn(kinora, "maria", PASSWORD);
    for (const [name, positionSeconds] of [
      ["Concert", 5],
      ["Video 7", 12],
      ["Sailing lesson", 30],
    ] as const)
      await maria.send("PUT", `/api/titles/${idOf(name)}/progress`, { positionSeconds });
    await page.goto("/library");
    const begun = page.getByRole("region", { name: "Continue watching" });
    await begun.waitFor();
    const names = await begun.getByRole("link").allTextContents();
    expect(names.slice(0, 3).map((name) => name.replace(/^.*\d:\d\d/, ""))).toEqual([
      "Show all",
      "Sailing lesson",
      "Video 7",
    ]);
    expect(await begun.getByRole("listitem").first().textContent()).toContain("30 s left");
    await page.getByLabel("Search").fill("harbour");
    await page.getByText("1 video", { exact: true }).waitFor();
    expect(await begun.count()).toBe(0);
    await page.getByLabel("Search").fill("");
    await begun.getByRole("link", { name: "Video 7" }).click();
    await page.waitForURL(`/watch/${idOf("Video 7")}`);
    await maria.send("PUT", `/api/titles/${idOf("Sailing lesson")}/progress`, { watched: true });
    await page.goBack();
    await begun.waitFor();
    expect(await begun.getByRole("link", { name: "Sailing lesson" }).count()).toBe(0);
    // One picture that was made before stands in both places.
    const places = [begun.getByRole("listitem"), page.locator(".cell")];
    for (const place of places) await place.filter({ hasText: "Concert" }).locator(".cover canvas").waitFor();
    await begun.getByRole("link", { name: "Show all" }).click();
    await page.getByRole("button", { name: "In progress; remove" }).waitFor();
    await page.locator(".cells").getByText("Video 7", { exact: true }).waitFor();
  });

  test("a page whose code could not be loaded is there as soon as the server is", async () => {
    const other = await browser.context.newPage();
    await other.goto("/videos");
    await other.locator(".cells").waitFor();
    const code = /\.js$/;
    await other.route(code, (route) => route.abort());
    await other.getByRole("link", { name: "Collections" }).click();
    await other.getByRole("heading", { name: "This page could not be loaded" }).waitFor();
    await other.unroute(code);
    await other.getByRole("heading", { name: "Collections", exact: true }).waitFor();
    await other.close();
  });

  test("had no error in the console, no breach of the policy, and asked nobody else for anything", () => {
    expect(browser.troubles).toEqual([]);
  });
});
