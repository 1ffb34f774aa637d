import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { buildWeb } from "../support/build-web.ts";
import { type Browser, eventually, openBrowser, videoState } from "../support/chromium.ts";
import { has } from "../support/debian.ts";
import { fixture } from "../support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../support/kinora.ts";

const PASSWORD = "correct horse battery";

describe.skipIf(!has("chromium", "ffmpeg"))("with the keyboard alone, on a phone's width", () => {
  let kinora: TestKinora;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    await buildWeb();
    kinora = await startTestKinora();
    const maria = await TestUser.signIn(kinora, "maria", PASSWORD);
    await maria.upload(await fixture("h264-only.mp4"), { name: "Older" });
    await maria.upload(await fixture("h264-aac.mp4"), { name: "Newer", tags: ["test card"] });
    browser = await openBrowser(kinora.url, { width: 320, height: 640 });
    page = browser.page;
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await kinora?.close();
  });

  /** The role and name of what has the focus, and whether one sees that it has. */
  const focused = () =>
    page.evaluate(() => {
      let element = document.activeElement;
      while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
      if (!element) return null;
      const host = document.activeElement ?? element;
      const seen = [element, element.parentElement, host, host.closest(".row")].some((part) => {
        if (!part) return false;
        const { outlineStyle, boxShadow } = getComputedStyle(part);
        return outlineStyle !== "none" || boxShadow !== "none";
      });
      const label =
        element instanceof HTMLInputElement ? (element.labels?.[0]?.textContent ?? "") : element.textContent;
      return { tag: host.localName, text: label?.trim() ?? "", seen };
    });

  /** Presses Tab until something fits; everything on the way must show its focus. */
  async function tabTo(what: string, fits: (focus: { tag: string; text: string }) => boolean): Promise<void> {
    for (let presses = 0; presses < 25; presses++) {
      await page.keyboard.press("Tab");
      const focus = await focused();
      if (!focus || focus.tag === "body") continue;
      expect(focus).toMatchObject({ seen: true });
      if (fits(focus)) return;
    }
    throw new Error(`no way to ${what} with Tab`);
  }

  test("one signs in, chooses a video with the arrows, and plays it with Enter", async () => {
    await page.goto("/");
    await page.waitForURL(/\/sign-in/);
    await eventually("the name has the focus", async () => (await focused())?.tag === "input");
    await page.keyboard.type("maria");
    await page.keyboard.press("Tab");
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/videos$/);
    await page.getByRole("radio").first().waitFor({ state: "attached" });
    await tabTo("the search", ({ text }) => text === "Search");
    await page.keyboard.press("ArrowDown");
    expect(await page.getByRole("radio", { name: /Newer/ }).isChecked()).toBe(true);
    await page.keyboard.press("ArrowDown");
    expect(await page.getByRole("radio", { name: /Older/ }).isChecked()).toBe(true);
    await page.keyboard.press("ArrowUp");
    await tabTo("the tag", ({ text }) => text === "test card");
    await tabTo("the play button", ({ text }) => text === "Play");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/watch\//);
    const seen = async () => ({ video: await videoState(page), text: await page.locator("main").innerText() });
    await eventually("it plays", async () => ((await videoState(page))?.currentTime ?? 0) > 0.3, 15_000, seen);
    expect(await page.title()).toBe("Newer · Kinora");
  });

  test("one reaches the player's controls and pauses", async () => {
    await tabTo("the player's play button", ({ tag }) => tag === "media-play-button");
    await page.keyboard.press("Enter");
    await eventually("it pauses", async () => (await videoState(page))?.paused);
  });

  test("no page is wider than the screen", async () => {
    for (const path of ["/videos", "/library", "/upload", new URL(page.url()).pathname]) {
      await page.goto(path);
      await page.locator("h1").waitFor();
      await Bun.sleep(200);
      const widths = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return { scrollWidth, clientWidth };
      });
      // The place of the scroll bar may be left free.
      expect([path, widths.scrollWidth <= widths.clientWidth]).toEqual([path, true]);
    }
  });

  test("had no error in the console, no breach of the policy, and asked nobody else for anything", () => {
    expect(browser.troubles).toEqual([]);
  });
});
