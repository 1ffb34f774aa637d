import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Page } from "playwright-core";
import { buildWeb } from "../support/build-web.ts";
import { type Browser, enter, eventually, openBrowser, videoState } from "../support/chromium.ts";
import { has } from "../support/debian.ts";
import { fixture } from "../support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../support/kinora.ts";

const PASSWORD = "correct horse battery";

describe.skipIf(!has("chromium", "ffmpeg"))("on the watch page", () => {
  let kinora: TestKinora;
  let maria: TestUser;
  let browser: Browser;
  let page: Page;
  let collectionId = "";
  /** Without an account; opened when somebody needs one. */
  let stranger: Browser;
  const library = mkdtempSync(join(tmpdir(), "kinora-watch-"));
  const ids = new Map<string, string>();

  beforeAll(async () => {
    await buildWeb();
    mkdirSync(join(library, "films"));
    cpSync(await fixture("h264-chapters.mp4"), join(library, "films", "Chapters.mp4"));
    kinora = await startTestKinora({ library: { folders: [library] } });
    maria = await TestUser.signIn(kinora, "maria", PASSWORD);
    const give = async (name: string, file: Parameters<typeof fixture>[0]) => {
      ids.set(name, (await maria.upload(await fixture(file), { name })).id);
    };
    await give("Harbour", "h264-aac-60s.mp4");
    await give("Subtitled", "h264-aac-subtitles.mp4");
    await give("Short", "h264-only.mp4");
    const made = await maria.post("/api/collections", { name: "An evening" });
    collectionId = ((await made.json()) as { id: string }).id;
    const titleIds = ["Short", "Subtitled", "Harbour"].map((name) => ids.get(name));
    await maria.post(`/api/collections/${collectionId}/titles`, { titleIds });
    browser = await openBrowser(kinora.url, {}, [/401 .*\/(api|stream)\//, /404 .*\/api\/(folders|titles)/]);
    page = browser.page;
    await page.goto("/sign-in");
    await enter(page, "maria", PASSWORD);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await stranger?.close();
    await kinora?.close();
    rmSync(library, { recursive: true, force: true });
  });

  const button = (name: string | RegExp) => page.getByRole("button", { name, exact: true });
  const said = (text: string | RegExp) => page.getByRole("status").filter({ hasText: text }).first().waitFor();
  const video = <T>(read: (video: HTMLVideoElement) => T) => page.locator("video").evaluate(read);
  const plays = (on = page) =>
    eventually(
      "it plays",
      async () => ((await videoState(on))?.currentTime ?? 0) > 0.3,
      15_000,
      () => videoState(on),
    );
  const watch = async (name: string, query = "") => {
    await page.goto(`/watch/${ids.get(name)}${query}`);
    await plays();
  };

  test("keys play, seek, change speed, sound and size, from wherever the focus is", async () => {
    await watch("Harbour");
    await page.keyboard.press("Space");
    await eventually("it pauses", async () => (await videoState(page))?.paused);
    await page.keyboard.press("5");
    await eventually("it is in the middle", async () => (await video(({ currentTime }) => currentTime)) === 30);
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("l");
    await page.keyboard.press("ArrowLeft");
    expect(await video(({ currentTime }) => currentTime)).toBe(40);
    await page.keyboard.press(">");
    await said("Speed 1.25×");
    await page.keyboard.press("<");
    await page.keyboard.press("<");
    expect(await video(({ playbackRate }) => playbackRate)).toBe(0.75);
    await page.keyboard.press("m");
    await said("Sound off");
    expect(await video(({ muted }) => muted)).toBe(true);
    const before = await page.evaluate(() => scrollY);
    await page.keyboard.press("ArrowDown");
    await eventually("elsewhere the arrows scroll", async () => (await page.evaluate(() => scrollY)) > before);
    await page.locator("media-play-button").focus();
    await page.keyboard.press("ArrowUp");
    await said("Volume 5 %");
    expect(await video(({ muted, volume }) => [muted, Math.round(volume * 100)])).toEqual([false, 5]);
    await page.keyboard.press("f");
    await eventually("it fills the screen", () => page.evaluate(() => document.fullscreenElement !== null));
    await page.keyboard.press("f");
    await eventually("it does no more", () => page.evaluate(() => document.fullscreenElement === null));
  });

  test("a key that something else takes does nothing to the player; ? shows them, and letters can be switched off", async () => {
    await button("Edit").click();
    await page.getByLabel("Name", { exact: true }).press("m");
    await page.getByLabel("Name", { exact: true }).press("Space");
    await button("Cancel").focus();
    await page.keyboard.press("Space");
    expect(await video(({ muted, paused }) => [muted, paused])).toEqual([false, true]);
    await page.keyboard.press("?");
    const dialog = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await dialog.getByText("Play or pause").waitFor();
    await dialog.getByRole("checkbox", { name: /Letters/ }).uncheck();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    // On the button Edit, which has the focus after the form was closed, Space would press it.
    await page.getByRole("heading", { name: "Harbour" }).focus();
    await page.keyboard.press("m");
    await page.keyboard.press("Space");
    await eventually("Space works", async () => (await video(({ paused }) => paused)) === false);
    expect(await video(({ muted }) => muted)).toBe(false);
    await button("Settings").click();
    await button("Keyboard shortcuts").click();
    await dialog.getByRole("checkbox", { name: /Letters/ }).check();
    await page.keyboard.press("Escape");
  });

  test("speed and the looks of subtitles are chosen, and the looks are kept", async () => {
    await watch("Subtitled");
    await page.keyboard.press("Space");
    await button("Settings").press("Enter");
    await button("1.5×").click();
    expect(await video(({ playbackRate }) => playbackRate)).toBe(1.5);
    for (const choice of ["Huge", "Yellow", "Black"]) await button(choice).click();
    await page.keyboard.press("Escape");
    await page.locator("media-captions-menu-button[mediasubtitleslist]").waitFor();
    await page.keyboard.press("c");
    await eventually("subtitles show", () =>
      video(({ textTracks }) => [...textTracks].some(({ kind, mode }) => kind === "subtitles" && mode === "showing")),
    );
    await page.reload();
    await plays();
    const { captionSize, captionColour, captionBackground } = await page
      .locator(".player")
      .evaluate((player: HTMLElement) => ({ ...player.dataset }));
    expect([captionSize, captionColour, captionBackground]).toEqual(["huge", "yellow", "black"]);
  });

  test("chapters of the file are listed, and lead to their places", async () => {
    const found = await eventually("the file is in the library", async () => {
      const { items } = (await (await maria.get("/api/titles?q=chapters")).json()) as { items: { id: string }[] };
      return items[0]?.id;
    });
    ids.set("Chapters", found);
    await watch("Chapters");
    const chapters = page.getByRole("navigation", { name: "Chapters" }).getByRole("button");
    await chapters.nth(1).waitFor();
    expect(await chapters.allTextContents()).toEqual(["0:00One", "0:02Two"]);
    const marks = page.locator("media-time-range");
    await eventually("the time line has them", async () =>
      marks.evaluate((range) => "mediaChaptersCues" in range && (range.mediaChaptersCues as unknown[]).length === 2),
    );
    await page.keyboard.press("Space");
    await chapters.nth(1).click();
    await eventually("it is there", async () => (await video(({ currentTime }) => currentTime)) === 2);
    expect(await chapters.nth(1).getAttribute("aria-current")).toBe("true");
  });

  test("details say how it is coded, what its SHA-256 is, and to an admin where it lies", async () => {
    await page.getByText("Details of the file").click();
    await page.getByText(join(library, "films/Chapters.mp4")).waitFor();
    const title = (await (await maria.get(`/api/titles/${ids.get("Chapters")}`)).json()) as { mediaId: string };
    await page.getByText(title.mediaId).waitFor();
    await page.getByText("25 per second").waitFor();
  });

  test("a collection goes on by itself, in the same player; the system is told what plays", async () => {
    await watch("Short", `?collection=${collectionId}`);
    const playing = () => page.evaluate(() => navigator.mediaSession.metadata?.title);
    expect(await playing()).toBe("Short");
    expect(await page.evaluate(() => navigator.mediaSession.metadata?.album)).toBe("An evening");
    await video((element) => Object.assign(element, { isStill: true }));
    await page.keyboard.press("9");
    await said("Next Subtitled");
    await button("Play now 6")
      .or(button(/^Play now/))
      .click();
    await page.waitForURL(`**/watch/${ids.get("Subtitled")}?collection=${collectionId}`);
    await eventually("the next one plays", async () => (await playing()) === "Subtitled");
    await plays();
    expect(await video((element) => "isStill" in element)).toBe(true);
    expect(await page.title()).toBe("Subtitled · Kinora");
    await page.keyboard.press("Shift+N");
    await page.getByRole("heading", { name: "Harbour" }).waitFor();
    const current = page.getByRole("region", { name: "Collection: An evening" }).locator("[aria-current]");
    await eventually("one sees where one is", async () => (await current.textContent())?.endsWith("Harbour"));
  });

  test("a link plays here and elsewhere without an account, and stops when it is revoked", async () => {
    await page.goto(`/watch/${ids.get("Subtitled")}`);
    await button("Share").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Valid for").selectOption({ label: "1 hour" });
    await dialog.getByRole("button", { name: "Make a link" }).click();
    const addressOf = (name: string) => dialog.getByRole("textbox", { name }).inputValue();
    const address = await addressOf("Link");
    await dialog.getByText("For VLC and other players").click();
    const hls = await addressOf("HLS");
    expect(await addressOf("RTSP")).toStartWith("rtsp://127.0.0.1:");
    expect((await fetch(hls)).status).toBe(200);
    stranger = await openBrowser(kinora.url, { width: 390 }, [/401 .*\/(api|stream)\//]);
    await stranger.page.goto(address);
    await plays(stranger.page);
    expect(await stranger.page.getByRole("button", { name: /Share|Edit/ }).count()).toBe(0);
    await dialog.getByRole("button", { name: /^Revoke the link/ }).click();
    await said("The link is revoked.");
    expect(
      await dialog.getByRole("button", { name: "Make a link" }).evaluate((it) => it === document.activeElement),
    ).toBe(true);
    expect((await fetch(hls)).status).toBe(401);
    await stranger.page.reload();
    await stranger.page.getByRole("alert").filter({ hasText: "This link has expired or was revoked." }).waitFor();
    await page.keyboard.press("Escape");
  });

  test("what plays for somebody who may not see it any more stops, also when all of it is there already", async () => {
    const id = ids.get("Harbour");
    const [on, isOver] = [stranger.page, /no such video|expired or was revoked/];
    const playAll = async (address: string) => {
      await on.goto(address);
      await plays(on);
      await on.locator("video").evaluate((element: HTMLVideoElement) => Object.assign(window, { element }));
      await eventually("all of it is there", () =>
        on.evaluate(() => {
          const { buffered, duration } = document.querySelector("video") ?? document.createElement("video");
          return buffered.length === 1 && buffered.end(0) > duration - 1;
        }),
      );
    };
    const stops = async () => {
      await on.getByRole("alert").filter({ hasText: isOver }).waitFor({ timeout: 10_000 });
      expect(await on.getByRole("link", { name: /Download/ }).count()).toBe(0);
      expect(await on.getByRole("button", { name: "Try again" }).count()).toBe(0);
      const { element } = { element: await on.evaluateHandle("element") };
      const left = await element.evaluate((video) =>
        video instanceof HTMLVideoElement ? [video.isConnected, video.readyState] : [],
      );
      expect(left).toEqual([false, 0]);
    };
    const link = (await (await maria.post("/api/links", { titleId: id })).json()) as { id: string; pageUrl: string };
    await playAll(link.pageUrl);
    await maria.send("DELETE", `/api/links/${link.id}`);
    await stops();
    await maria.send("PATCH", `/api/titles/${id}`, { visibility: "public" });
    await playAll(`/watch/${id}`);
    await maria.send("PATCH", `/api/titles/${id}`, { name: "Harbour by night" });
    await on.getByRole("heading", { name: "Harbour by night" }).waitFor({ timeout: 10_000 });
    await maria.send("PATCH", `/api/titles/${id}`, { name: "Harbour", visibility: "private" });
    await stops();
  }, 60_000);

  test("a collection's share dialog names the longest time of a link, and what of it others see", async () => {
    await page.goto(`/collections/${collectionId}`);
    await button("Share").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("option", { name: "12 hours (max.)" }).waitFor({ state: "attached" });
    await dialog.getByText("3 of its videos are private: whoever has a link sees them all the same.").waitFor();
    await dialog.getByRole("radio", { name: /^Public/ }).check();
    await dialog.getByText("3 of its videos are not public: visitors do not see them.").waitFor();
    await dialog.getByRole("radio", { name: /^Members/ }).check();
    await dialog.getByText("3 of its videos are private: members do not see them.").waitFor();
    await dialog.getByRole("radio", { name: /^Private/ }).check();
    await said("Saved: Private.");
    await page.keyboard.press("Escape");
  });

  test("a collection's link plays what is in it, one after the other", async () => {
    const link = (await (await maria.post("/api/links", { collectionId })).json()) as { pageUrl: string };
    await stranger.page.goto(link.pageUrl);
    await stranger.page.getByText("Subtitled").first().waitFor();
    // What the owner has kept private is shown to them all the same.
    expect(await stranger.page.getByText("Private").count()).toBe(0);
    await stranger.page.getByRole("link", { name: "Play all" }).click();
    await plays(stranger.page);
    await stranger.page.keyboard.press("Shift+N");
    await stranger.page.getByRole("heading", { name: "Subtitled" }).waitFor();
    await plays(stranger.page);
  });

  test("another screen gets an address that it may play without a session", async () => {
    await page.addInitScript(() => {
      // Stands for a browser that knows of such a screen.
      const remote = Object.assign(new EventTarget(), {
        state: "disconnected",
        watchAvailability: async () => 1,
        cancelWatchAvailability: async () => undefined,
        prompt: async () => void Object.assign(window, { screenAsked: true }),
      });
      Object.defineProperty(HTMLMediaElement.prototype, "remote", { value: remote });
    });
    await watch("Harbour");
    await button("Settings").click();
    await button("Play on another screen…").click();
    await eventually("the screen is chosen", () => page.evaluate(() => "screenAsked" in window));
    const address = await video(({ src }) => src);
    expect(address).toInclude(`/stream/${ids.get("Harbour")}/faststart?grant=`);
    expect((await fetch(address, { headers: { Range: "bytes=0-9" } })).status).toBe(206);
    await plays();
  });

  test("a folder shows what lies below it, and one that is gone says so", async () => {
    await page.goto("/library");
    await page
      .getByRole("navigation", { name: "Folders" })
      .getByRole("button", { name: `${basename(library)} 1` })
      .click();
    await said(/^1 video$/);
    await page.getByRole("link", { name: "Chapters", exact: true }).waitFor();
    const folders = page.getByRole("navigation", { name: "Folders" });
    const folder = new URL(page.url()).search;
    await folders.getByRole("button", { name: "films 1" }).click();
    await folders.locator("[aria-current]", { hasText: "films" }).waitFor();
    const films = new URL(page.url()).search;
    await page.getByLabel("Search").pressSequentially("chap");
    await page.waitForURL(/q=chap$/);
    // Back leads up, whatever was typed, and all is there before the server answers.
    const lists = /\/api\/(titles|folders)(\?|$)/;
    await page.route(lists, () => new Promise(() => {}));
    await page.goBack();
    await folders.getByRole("button", { name: "films 1" }).waitFor();
    expect(new URL(page.url()).search).toBe(folder);
    await page.getByRole("link", { name: "Chapters", exact: true }).waitFor();
    expect(await page.getByLabel("Search").inputValue()).toBe("");
    await page.goBack();
    await folders.getByRole("button", { name: `${basename(library)} 1` }).waitFor();
    expect(new URL(page.url()).search).toBe("");
    await page.getByRole("link", { name: "Harbour", exact: true }).waitFor();
    await page.goForward();
    await folders.getByRole("button", { name: "films 1" }).waitFor();
    await page.unroute(lists);
    await page.goForward();
    await page.waitForURL((url) => url.search === `${films}&q=chap`);
    await page.goto("/library?folder=00000000-0000-7000-8000-000000000001");
    await page.getByText("This folder is no longer there").waitFor();
    await button("Show the whole library").click();
    await said("4 videos");
  });

  test("had no other error in the console, no breach of the policy, and asked nobody else for anything", () => {
    expect([...browser.troubles, ...stranger.troubles]).toEqual([]);
  });
});
