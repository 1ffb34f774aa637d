import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Locator, Page } from "playwright-core";
import { buildWeb } from "../support/build-web.ts";
import { type Browser, enter, eventually, openBrowser } from "../support/chromium.ts";
import { has } from "../support/debian.ts";
import { fixture } from "../support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../support/kinora.ts";

const PASSWORD = "correct horse battery";
/** A tenth of what is called good (web.dev/cls). */
const MOST_SHIFT = 0.01;

interface Shift extends PerformanceEntry {
  readonly value: number;
  readonly hadRecentInput: boolean;
  readonly sources?: readonly {
    readonly node: Node | null;
    readonly previousRect: DOMRectReadOnly;
    readonly currentRect: DOMRectReadOnly;
  }[];
}

/** How much has moved since the page was opened, and what. */
const shiftsOf = (page: Page) =>
  page.evaluate(async () => {
    const shifts = await new Promise<Shift[]>((resolve) => {
      new PerformanceObserver((list) => resolve(list.getEntries() as Shift[])).observe({
        type: "layout-shift",
        buffered: true,
      });
      setTimeout(() => resolve([]), 100);
    });
    const own = shifts.filter(({ hadRecentInput }) => !hadRecentInput);
    const place = ({ x, y, width, height }: DOMRectReadOnly) => [x, y, width, height].map(Math.round).join();
    const what = own.flatMap(({ sources = [] }) =>
      sources.map(({ node, previousRect, currentRect }) => {
        const name = node instanceof HTMLElement ? node.outerHTML.slice(0, 80) : node?.textContent;
        return `${name} from ${place(previousRect)} to ${place(currentRect)}`;
      }),
    );
    return { sum: own.reduce((total, { value }) => total + value, 0), what };
  });

describe.skipIf(!has("chromium", "ffmpeg"))("the pages", () => {
  let kinora: TestKinora;
  let collectionId = "";
  let phone: Browser;
  let desk: Browser;
  const ids = new Map<string, string>();

  beforeAll(async () => {
    await buildWeb();
    kinora = await startTestKinora();
    const maria = await TestUser.signIn(kinora, "maria", PASSWORD);
    const jonas = await TestUser.signIn(kinora, "jonas-of-the-long-name", PASSWORD);
    const file = await fixture("h264-only.mp4");
    const give = async (who: TestUser, name: string) => ids.set(name, (await who.upload(file, { name })).id);
    for (let number = 1; number <= 9; number++) await give(maria, `Summer evening at the coast, part ${number}`);
    await give(jonas, "A secret of Jonas");
    // So that the library begins with it.
    const begun = ids.get("Summer evening at the coast, part 4");
    await maria.send("PUT", `/api/titles/${begun}/progress`, { positionSeconds: 1 });
    collectionId = ((await (await maria.post("/api/collections", { name: "An evening" })).json()) as { id: string }).id;
    const open = async (options: Parameters<typeof openBrowser>[1]) => {
      const browser = await openBrowser(kinora.url, options);
      await browser.page.goto("/sign-in");
      await enter(browser.page, "maria", PASSWORD);
      return browser;
    };
    phone = await open({ width: 390, height: 844, phone: true });
    desk = await open({ width: 2560, height: 1200 });
  }, 90_000);
  afterAll(async () => {
    await phone?.close();
    await desk?.close();
    await kinora?.close();
  });

  const boxOf = async (target: Locator) => {
    const box = await target.boundingBox();
    if (!box) throw new Error(`${target} is not on the page`);
    return box;
  };
  const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name, exact: true });
  /** Whether what stands in the middle of an element is it, or in it. */
  const isUncovered = (target: Locator) =>
    target.evaluate((element) => {
      const { left, top, width, height } = element.getBoundingClientRect();
      const there = document.elementFromPoint(left + width / 2, top + height / 2);
      return there !== null && (element.contains(there) || there.contains(element));
    });

  test("on a phone: a notice stands at the edge, and the end of the list is not below it", async () => {
    const { page } = phone;
    await page.goto("/videos");
    await button(page, "Select").click();
    await page.getByRole("checkbox", { name: /part 9/ }).check();
    await button(page, "Who may see it").click();
    await button(page, "Members").click();
    const notice = page.locator(".notice");
    await notice.getByText("1 video changed.").waitFor();
    await page.locator(".play-bar:not(.select-bar)").waitFor();
    const [said, bar] = [await boxOf(notice), await boxOf(page.locator(".play-bar"))];
    expect([said.x, said.width]).toEqual([0, 390]);
    expect(Math.abs(said.y + said.height - bar.y)).toBeLessThan(4);
    expect(said.height).toBeLessThan(60);
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    const last = page.locator(".row", { hasText: "part 1" }).locator(".name");
    await eventually("the last name is free", async () => (await last.count()) === 1 && isUncovered(last));
    await button(page, "Undo").click();
    await page.getByText("1 video is as it was.").waitFor();
    await button(page, "Dismiss").first().click();
  });

  test("on a phone: a long press selects, and lifting the finger opens nothing", async () => {
    const { page, context } = phone;
    await page.goto("/library");
    const card = page.locator(".card", { hasText: "part 9" });
    await card.waitFor();
    const { x, y } = await boxOf(card);
    const touch = await context.newCDPSession(page);
    await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x: x + 40, y: y + 40 }] });
    await page.getByText("1 selected").waitFor();
    await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await page.locator(".card", { hasText: "part 8" }).tap();
    await page.getByText("2 selected").waitFor();
    expect(new URL(page.url()).pathname).toBe("/library");
    await button(page, "Select").click();
  });

  test("on a phone: the filters are whole on the screen and are closed by a button; Mine is about the owner", async () => {
    const { page } = phone;
    await page.goto("/library");
    await button(page, "Filters").click();
    const panel = page.getByRole("group", { name: "Filters" });
    await panel.getByText("Over an hour").waitFor();
    await eventually("it is on the screen", async () => {
      const { x, y, width, height } = await boxOf(panel);
      return x >= 0 && y >= 0 && x + width <= 390 && Math.abs(y + height - 844) < 2;
    });
    await panel.getByRole("group", { name: "Owner" }).getByRole("button", { name: "Mine" }).click();
    await page.getByRole("status").filter({ hasText: "9 videos" }).waitFor();
    await panel.getByRole("button", { name: "Close" }).click();
    await panel.waitFor({ state: "hidden" });
    expect(await button(page, "Filters").evaluate((element) => element === document.activeElement)).toBe(true);
  });

  test.each(["Show as grid", "Show as list"])("on a phone: dates are whole (%s)", async (view) => {
    const { page } = phone;
    await page.goto("/library");
    await page.locator(".cells").waitFor();
    const other = button(page, view);
    if ((await other.count()) > 0) await other.click();
    await page.getByText("A secret of Jonas").waitFor();
    const cut = await page.locator(".cell .meta").evaluateAll((all) =>
      all.flatMap((meta) => {
        const [box, date] = [meta.getBoundingClientRect(), meta.lastElementChild?.getBoundingClientRect()];
        const fits = date && date.right <= box.right + 1 && date.bottom <= box.bottom + 1 && date.left >= box.left - 1;
        return fits ? [] : [meta.textContent];
      }),
    );
    expect(cut).toEqual([]);
  });

  test("private videos of others, which an administrator sees, are marked with whose they are", async () => {
    const { page } = desk;
    await page.goto("/library");
    const card = page.locator(".card", { hasText: "A secret of Jonas" });
    await card.waitFor();
    expect(await card.locator(".meta").textContent()).toStartWith("jonas-of-the-long-namePrivate");
    expect(await card.locator(".lock").count()).toBe(1);
    await card.getByRole("link").click();
    await page.getByText("jonas-of-the-long-name and administrators").waitFor();
    await page.goto(`/watch/${ids.get("Summer evening at the coast, part 1")}`);
    await page.getByText("You and administrators").waitFor();
  });

  test("an empty collection leads to the library to choose videos for it, and back", async () => {
    const { page } = desk;
    await page.goto(`/collections/${collectionId}`);
    await page.getByRole("link", { name: "Add videos" }).click();
    await page.getByRole("status").filter({ hasText: "Choose videos for “An evening”" }).waitFor();
    // Searching does not forget what one is choosing for.
    await page.getByRole("searchbox", { name: "Search" }).fill("part 3");
    await page.getByRole("status").filter({ hasText: "1 video" }).waitFor();
    await page.getByText("Summer evening at the coast, part 3").click();
    await page.getByRole("searchbox", { name: "Search" }).fill("");
    await page.getByRole("checkbox", { name: /part 5/ }).check();
    await button(page, "Add 2 videos").click();
    await page.waitForURL(`**/collections/${collectionId}`);
    const names = page.getByRole("list", { name: "Videos" }).getByRole("link");
    await names.nth(1).waitFor();
    expect(await names.allTextContents()).toEqual([
      "Summer evening at the coast, part 3",
      "Summer evening at the coast, part 5",
    ]);
    await page.goto(`/library?collect=${collectionId}`);
    await button(page, "Cancel").click();
    await page.waitForURL(`**/collections/${collectionId}`);
  });

  test.each([1280, 2560])("the header stays where it is from page to page, %d px wide", async (width) => {
    const { page } = desk;
    await page.setViewportSize({ width, height: 900 });
    const places: Record<string, unknown> = {};
    const watch = `/watch/${ids.get("Summer evening at the coast, part 1")}`;
    const paths = ["/videos", "/library", "/collections", `/collections/${collectionId}`, "/upload", "/account", watch];
    for (const path of paths) {
      await page.goto(path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      const [mark, account, heading] = await Promise.all([
        boxOf(page.getByRole("link", { name: "Kinora, start page" })),
        boxOf(button(page, "Account of maria")),
        boxOf(page.getByRole("heading", { level: 1 })),
      ]);
      places[path] = [mark.x, mark.y, account.x, heading.x].map(Math.round);
    }
    expect(new Set(Object.values(places).map(String)).size, JSON.stringify(places)).toBe(1);
  });

  test("cards show a picture of the video, of the size of what stood there before", async () => {
    const { page } = desk;
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.goto("/library");
    const cover = page.locator(".card", { hasText: "part 9" }).locator(".cover");
    await cover.waitFor();
    const before = await boxOf(cover);
    const picture = cover.locator("canvas[data-whole]");
    await picture.waitFor();
    expect(await boxOf(cover)).toEqual(before);
    const colours = await picture.evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
      return new Set(Array.from({ length: 200 }, (_, i) => data.slice(i * 1600, i * 1600 + 3).join())).size;
    });
    expect(colours).toBeGreaterThan(5);
  });

  test.each([
    ["desk", 1280],
    ["phone", 390],
  ] as const)("nothing jumps while a page is loaded (%s)", async (which, width) => {
    const { page } = which === "desk" ? desk : phone;
    await page.setViewportSize({ width, height: 844 });
    const watch = `/watch/${ids.get("Summer evening at the coast, part 3")}`;
    const paths = ["/library", "/videos", "/collections", `/collections/${collectionId}`, watch, `/account`, "/upload"];
    const admin = ["users", "library", "services", "storage", "streams"].map((name) => `/admin/${name}`);
    const jumps: Record<string, unknown> = {};
    for (const path of [...paths, `${watch}?collection=${collectionId}`, ...admin]) {
      await page.goto(path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await eventually("it is loaded", async () => (await page.locator("[aria-busy=true], .skeleton").count()) === 0);
      await page.evaluate(() => document.fonts.ready);
      await page.waitForTimeout(150);
      const { sum, what } = await shiftsOf(page);
      if (sum > MOST_SHIFT) jumps[path] = { sum, what };
    }
    expect(jumps).toEqual({});
  });

  test("in 320 pixels, in Spanish, the way around is whole, and nothing is wider than the window", async () => {
    const { page } = phone;
    await page.setViewportSize({ width: 320, height: 640 });
    await page.evaluate(() => localStorage.setItem("kinora-language", "es"));
    for (const path of ["/library", "/videos", `/watch/${ids.get("Summer evening at the coast, part 3")}`]) {
      await page.goto(path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      const last = await boxOf(page.getByRole("navigation").first().getByRole("link").last());
      expect(last.x + last.width).toBeLessThanOrEqual(320);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    }
    await page.evaluate(() => localStorage.setItem("kinora-language", "en"));
    await page.setViewportSize({ width: 390, height: 844 });
  });

  test("on a phone: all that is done with a selection is on the screen", async () => {
    const { page } = phone;
    await page.goto("/videos");
    await button(page, "Select").click();
    await page.getByRole("checkbox", { name: /part 9/ }).check();
    const bar = page.locator(".select-bar");
    for (const name of await bar.locator("button:not(.menu-item)").all()) {
      const { x, width, height } = await boxOf(name);
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x + width).toBeLessThanOrEqual(390);
      expect(height).toBeGreaterThanOrEqual(36);
    }
    await button(page, "Select").click();
  });

  test("had no error in the console, no breach of the policy, and asked nobody else for anything", () => {
    expect([...phone.troubles, ...desk.troubles]).toEqual([]);
  });
});
