import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { countingStatements, rowsOfTitles } from "../../bench/support/many-titles.ts";
import { buildWeb } from "../support/build-web.ts";
import { type Browser, enter, eventually, openBrowser } from "../support/chromium.ts";
import { has } from "../support/debian.ts";
import { startTestKinora, type TestKinora, TestUser } from "../support/kinora.ts";

const PASSWORD = "correct horse battery";
const TITLES = process.env.KINORA_TEST_LONG ? 5_000 : 600;
/** What a title takes that is known but not shown: its description and its tags. */
const BYTES_EACH = 6_000;

/** As a library that was there before: uploading them one by one would take minutes. */
function addTitles(path: string): void {
  const database = new Database(path);
  database.run("delete from catalog_stale");
  // The start makes the columns that titles are sorted by.
  database.run("insert into catalog_stale (what) values ('columns')");
  for (const parts of rowsOfTitles(TITLES))
    database.transaction(() => {
      for (const { table, columns, rows } of parts) {
        const insert = database.prepare(
          `insert into ${table} (${columns.join(", ")}) values (${columns.map(() => "?").join(", ")})`,
        );
        for (const row of rows) insert.run(...(row as string[]));
      }
    })();
  for (const statement of countingStatements()) database.run(statement);
  database.close();
}

describe.skipIf(!has("chromium"))(`a list of ${TITLES} videos`, () => {
  let kinora: TestKinora;
  let browser: Browser;

  beforeAll(async () => {
    await buildWeb();
    kinora = await startTestKinora();
    await TestUser.signIn(kinora, "maria", PASSWORD);
    await kinora.restart(() => addTitles(join(kinora.data, "kinora.db")));
    // No file is behind these videos: whoever opens one is told so.
    browser = await openBrowser(kinora.url, {}, [/(404|503) .*\/stream\//]);
    await browser.page.goto("/sign-in");
    await enter(browser.page, "maria", PASSWORD);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await kinora?.close();
  });

  test.each(["grid", "list"])(
    "scrolled to its end as a %s, takes no more of the page than at its beginning",
    async (view) => {
      const { page, context } = browser;
      await page.goto("/library");
      await page.locator(".cells").waitFor();
      const other = page.getByRole("button", { name: `Show as ${view}` });
      if ((await other.count()) > 0) await other.click();
      await page.locator(`.cells[data-view=${view}] .cell`).first().waitFor();
      const session = await context.newCDPSession(page);
      await session.send("Performance.enable");
      const measure = async () => {
        await session.send("HeapProfiler.collectGarbage");
        const { metrics } = await session.send("Performance.getMetrics");
        const of = (wanted: string) => metrics.find(({ name }) => name === wanted)?.value ?? Number.NaN;
        return {
          cells: await page.locator(".cell").count(),
          elements: await page.evaluate(() => document.querySelectorAll("*").length),
          nodes: of("Nodes"),
          heapBytes: of("JSHeapUsedSize"),
        };
      };
      const before = await measure();
      let most = 0;
      const end = page.getByRole("status").filter({ hasText: `${TITLES.toLocaleString("en")} videos` });
      await page.mouse.move(400, 400);
      await eventually(
        "the end is there",
        async () => {
          await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
          most = Math.max(most, await page.locator(".cell").count());
          return (await end.count()) > 0;
        },
        180_000,
      );
      await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
      await Bun.sleep(300);
      const after = await measure();
      console.log(`${TITLES} titles as a ${view}: ${JSON.stringify({ before, after, most })}`);
      expect(most).toBeLessThan(100);
      expect(after.elements).toBeLessThan(before.elements * 1.5 + 200);
      // Also those that are no longer in the page: nothing holds on to them.
      expect(after.nodes).toBeLessThan(before.nodes * 1.5 + 1_000);
      expect(after.heapBytes - before.heapBytes).toBeLessThan(TITLES * BYTES_EACH + 4_000_000);
      await page.evaluate(() => scrollTo(0, 0));
      await eventually(
        "the first are there again",
        async () => (await page.locator('.cell[style*="--row: 0"]').count()) > 0,
      );
    },
    240_000,
  );

  test("back from a video far down, the list is there at once, at its place, with few of it in the page", async () => {
    const { page } = browser;
    await page.goto("/library");
    await page.locator(".cells").waitFor();
    const grid = page.getByRole("button", { name: "Show as grid" });
    if ((await grid.count()) > 0) await grid.click();
    const far = Math.floor((TITLES * 5) / 6);
    const status = page.locator(".count");
    await eventually(
      `the ${far}th is there`,
      async () => {
        await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
        return Number((await status.innerText()).replace(/\D/g, "")) > far;
      },
      180_000,
    );
    await page.evaluate((share) => scrollTo(0, document.documentElement.scrollHeight * share), 5 / 6);
    const seen = () =>
      page.evaluate(() => {
        const link = [...document.querySelectorAll<HTMLElement>(".cell a.stop")].find(
          (stop) => stop.getBoundingClientRect().top > 200 && stop.getBoundingClientRect().bottom < innerHeight,
        );
        return link ? { id: link.dataset.id ?? "", top: link.getBoundingClientRect().top } : null;
      });
    const { id, top } = await eventually("cards are there", seen);
    await page.locator(`a.stop[data-id="${id}"]`).press("Enter");
    await page.waitForURL(`**/watch/${id}`);
    await page.locator("h1").waitFor();
    const lists = /\/api\/titles(\?|$)/;
    await page.route(lists, () => new Promise(() => {}));
    await page.goBack();
    await page.locator(".cells").waitFor();
    await eventually("it has the focus", () =>
      page.evaluate((wanted) => document.activeElement?.getAttribute("data-id") === wanted, id),
    );
    expect(await seen()).toMatchObject({ id });
    expect(Math.abs(((await seen())?.top ?? 0) - top)).toBeLessThan(2);
    expect(await page.locator(".cell").count()).toBeLessThan(100);
    await page.unroute(lists);
  }, 240_000);

  test("all that a search finds is selected, also what is not in the list yet, and changed with progress", async () => {
    const { page } = browser;
    await page.goto("/library");
    await page.locator(".cells").waitFor();
    await page.getByRole("button", { name: "Select", exact: true }).press("Enter");
    const all = page.getByRole("button", { name: "Select all" });
    await all.press("Enter");
    await page.getByText(`${TITLES.toLocaleString("en")} selected`).waitFor({ timeout: 60_000 });
    await page.locator(".count", { hasText: `${TITLES.toLocaleString("en")} videos` }).waitFor();
    expect(await page.locator(".cell").count()).toBeLessThan(100);
    expect(await all.evaluate((button) => button === document.activeElement)).toBe(true);
    await page.getByRole("button", { name: "Tag", exact: true }).press("Enter");
    await page.getByLabel("Add these tags").fill("everything");
    await page.keyboard.press("Enter");
    await page.getByText(`${TITLES.toLocaleString("en")} videos changed.`).waitFor({ timeout: 60_000 });
  }, 180_000);

  test("had no error in the console, no breach of the policy, and asked nobody else for anything", () => {
    expect(browser.troubles).toEqual([]);
  });
});
