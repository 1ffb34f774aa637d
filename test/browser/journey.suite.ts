import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { buildWeb } from "../support/build-web.ts";
import { type Browser, enter, eventually, leave, openBrowser, videoState } from "../support/chromium.ts";
import { has } from "../support/debian.ts";
import { fixture } from "../support/fixtures.ts";
import { TestUser } from "../support/kinora.ts";

const PASSWORD = "correct horse battery";

/** A Kinora that has its first account, or needs no code for it. */
export interface JourneyKinora {
  readonly url: string;
  close(): Promise<void>;
}

export interface JourneyOptions {
  /** Signs up, uploads, plays and signs out only. */
  readonly short?: boolean;
  /** Console errors that belong to what happens meanwhile. */
  readonly expected?: readonly RegExp[];
}

/** What a person does with a browser, one thing after the other, on whatever Kinora `open` gives. */
export function journeySuite(name: string, open: () => Promise<JourneyKinora>, options: JourneyOptions = {}): void {
  describe.skipIf(!has("chromium", "ffmpeg"))(name, () => journey(open, options));
}

function journey(open: () => Promise<JourneyKinora>, { short = false, expected = [] }: JourneyOptions) {
  let kinora: JourneyKinora;
  let browser: Browser;
  const addressOf = () => new URL(browser.page.url()).pathname + new URL(browser.page.url()).search;

  beforeAll(async () => {
    await buildWeb();
    kinora = await open();
    browser = await openBrowser(kinora.url, { isWhole: !short }, expected);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await kinora?.close();
  });

  const full = short ? () => undefined : test;

  async function upload(path: string, tags: string): Promise<string> {
    const { page } = browser;
    await page.goto("/upload");
    const send = page.getByRole("button", { name: "Upload", exact: true });
    expect(await send.isDisabled()).toBe(true);
    await page.locator("input[type=file]").setInputFiles(path);
    await page.getByLabel("Tags").fill(tags);
    expect(await send.isEnabled()).toBe(true);
    await send.click();
    await page.waitForURL(/\/videos\?selected=/);
    return new URL(page.url()).searchParams.get("selected") ?? "";
  }

  test("creates an account from the form and lands on the upload page", async () => {
    const { page } = browser;
    await page.goto("/");
    await page.waitForURL(/\/sign-in/);
    await enter(page, "maria", PASSWORD);
    await page.waitForURL(/\/upload$/);
    await page.getByRole("link", { name: "Skip to my videos" }).waitFor();
  });

  test("uploads a video, which is chosen in my videos, and plays it", async () => {
    const { page } = browser;
    await upload(await fixture("h264-aac.mp4"), "short, test card");
    expect(await page.getByRole("radio", { name: /h264-aac/ }).isChecked()).toBe(true);
    await page.getByRole("button", { name: "Play" }).click();
    await page.waitForURL(/\/watch\//);
    const before = await eventually("it plays", async () => {
      const state = await videoState(page);
      return state && state.currentTime > 0.5 && state;
    });
    const after = await eventually("it goes on", async () => {
      const state = await videoState(page);
      return state && state.currentTime > before.currentTime + 1 && state;
    });
    expect(after.frames).toBeGreaterThan(before.frames + 15);
    expect(after.error).toBeNull();
    expect(after.delivery).toBe("hls");
    expect(after.duration).toBeCloseTo(10, 0);
  });

  full("seeks near the end of a minute within a second", async () => {
    const { page } = browser;
    const id = await upload(await fixture("h264-aac-60s.mp4"), "long, test card");
    await page.goto(`/watch/${id}`);
    await eventually("it plays", async () => ((await videoState(page))?.currentTime ?? 0) > 0.5);
    const ms = await page.evaluate(async () => {
      const video = document.querySelector("video");
      if (!video) throw new Error("no video");
      const { totalVideoFrames } = video.getVideoPlaybackQuality();
      const start = performance.now();
      video.currentTime = 55;
      // Playing again: the time moves on from the target, with new pictures.
      while (video.currentTime < 55.05 || video.getVideoPlaybackQuality().totalVideoFrames <= totalVideoFrames) {
        if (performance.now() - start > 15_000) throw new Error(`stuck at ${video.currentTime}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return performance.now() - start;
    });
    console.log(`seek to 55 of 60 s: playing again after ${Math.round(ms)} ms`);
    expect((await videoState(page))?.error).toBeNull();
  });

  full("is taken back to where the video stopped", async () => {
    const { page } = browser;
    await page.evaluate(() => {
      const video = document.querySelector("video");
      if (!video) return;
      video.currentTime = 30;
      video.pause();
    });
    await eventually("the position is saved", async () => {
      const answer = await page.evaluate(async () => {
        const id = location.pathname.slice("/watch/".length);
        return (await (await fetch(`/api/titles/${id}/progress`)).json()) as { positionSeconds: number };
      });
      return Math.abs(answer.positionSeconds - 30) < 2;
    });
    await page.reload();
    await page.getByText("Resumed at 0:3").waitFor();
    const state = await eventually("it plays on", async () => {
      const now = await videoState(page);
      return now && now.currentTime > 28 && now;
    });
    expect(state.currentTime).toBeLessThan(45);
  });

  full("finds it by its tag, by a part of its name, and not by what it has not", async () => {
    const { page } = browser;
    await page.goto("/videos");
    await page.getByRole("radio").nth(1).waitFor({ state: "attached" });
    await page.getByRole("button", { name: "long" }).click();
    await eventually("one is left", async () => (await page.getByRole("radio").count()) === 1);
    expect(addressOf()).toBe("/videos?tag=long");
    expect(await page.getByRole("radio", { name: /h264-aac-60s/ }).count()).toBe(1);
    await page.getByRole("button", { name: "Tagged long; remove" }).click();
    await eventually("all are back", async () => (await page.getByRole("radio").count()) === 2);
    await page.getByLabel("Search").fill("60s");
    await eventually("one is left", async () => (await page.getByRole("radio").count()) === 1);
    await page.getByLabel("Search").fill("zebra");
    await page.getByRole("heading", { name: "Nothing fits" }).waitFor();
    await page.getByRole("button", { name: "Show all" }).click();
    await eventually("all are back", async () => (await page.getByRole("radio").count()) === 2);
    expect(await page.getByLabel("Search").inputValue()).toBe("");
  });

  full("renames, describes, tags and shares it, deletes it and takes that back", async () => {
    const { page } = browser;
    await page.goto("/videos");
    await page.getByText("h264-aac-60s").click();
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByLabel("Name").fill("A minute of colours <b>&amp;</b>");
    await page.getByLabel("Description").fill("All of them.");
    await page.getByLabel("Tags").fill("long, colours");
    await page.getByLabel("Members").check();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "A minute of colours <b>&amp;</b>" }).waitFor();
    await page.reload();
    await page.getByText("All of them.").waitFor();
    expect(await page.locator(".watch .tag").allTextContents()).toEqual(["long", "colours"]);
    expect(await page.getByText("All members").count()).toBe(1);
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByRole("button", { name: "Delete video" }).click();
    await page.waitForURL(/\/videos$/);
    await eventually("it is gone", async () => (await page.getByRole("radio").count()) === 1);
    await page.getByRole("button", { name: "Undo" }).click();
    await page.waitForURL(/\/videos\?selected=/);
    await page.getByText("A minute of colours <b>&amp;</b>").first().waitFor();
    expect(await page.getByRole("radio", { name: /A minute/ }).isChecked()).toBe(true);
  });

  test("leaves nothing behind that plays: signed out every URL answers 401, for somebody else 404", async () => {
    const { page, context } = browser;
    await page.goto("/videos");
    await page.getByText("h264-aac", { exact: true }).click();
    await eventually("it plays", async () => ((await videoState(page))?.currentTime ?? 0) > 0.5);
    const id = new URL(page.url()).pathname.slice("/watch/".length);
    const seen = browser.requested.filter((url) => url.includes(`/stream/${id}/`));
    const urls = [...new Set([...seen, `${kinora.url}/stream/${id}/original`])].map((url) =>
      url.slice(kinora.url.length),
    );
    for (const kind of [/original$/, /master\.m3u8/, /\/hls\/(?!master).*\.m3u8/, /init/, /\.(m4s|mp4|m4v|m4a)/])
      expect(urls.filter((url) => kind.test(url))).not.toBeEmpty();
    const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
    const withCookie = (url: string) => fetch(new URL(url, kinora.url), { headers: { Cookie: cookie } });
    for (const url of urls) expect([url, (await withCookie(url)).ok]).toEqual([url, true]);
    await page.goto("/videos");
    await leave(page);
    const other = await TestUser.signIn(kinora, "other");
    for (const url of urls) {
      expect([url, (await withCookie(url)).status]).toEqual([url, 401]);
      expect([url, (await fetch(new URL(url, kinora.url))).status]).toEqual([url, 401]);
      expect([url, (await other.get(url)).status]).toEqual([url, 404]);
    }
  });

  full("comes back to the page that asked for the sign-in", async () => {
    const { page } = browser;
    await page.goto("/library?q=colours");
    await page.waitForURL(/\/sign-in\?next=/);
    await enter(page, "maria", PASSWORD);
    await page.waitForURL(/\/library\?q=colours$/);
    await page.getByText("A minute of colours").waitFor();
  });

  test("had no error in the console, no breach of the policy, and asked nobody else for anything", () => {
    expect(browser.troubles).toEqual([]);
  });
}
