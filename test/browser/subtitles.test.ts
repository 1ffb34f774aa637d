import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildWeb } from "../support/build-web.ts";
import { type Browser, enter, eventually, openBrowser, videoState } from "../support/chromium.ts";
import { has } from "../support/debian.ts";
import { fixture } from "../support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../support/kinora.ts";

const PASSWORD = "correct horse battery";

describe.skipIf(!has("chromium", "ffmpeg"))("subtitles in the browser", () => {
  const library = mkdtempSync(join(tmpdir(), "kinora-library-"));
  let kinora: TestKinora;
  let browser: Browser;
  let user: TestUser;

  beforeAll(async () => {
    await buildWeb();
    // MP3 in MP4 has no sound in segments there, so this one is played as a file.
    copyFileSync(await fixture("h264-mp3.mp4"), join(library, "file.mp4"));
    const markup = "<script>alert(1)</script><b>bold</b>";
    writeFileSync(join(library, "file.en.srt"), `1\n00:00:00,000 --> 00:00:09,000\n${markup}\n`);
    kinora = await startTestKinora({ library: { folders: [library] } });
    browser = await openBrowser(kinora.url);
    await browser.page.goto("/");
    await browser.page.waitForURL(/\/sign-in/);
    await enter(browser.page, "maria", PASSWORD);
    user = await TestUser.signIn(kinora, "maria", PASSWORD);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await kinora?.close();
    rmSync(library, { recursive: true });
  });

  const plays = () => eventually("it plays", async () => ((await videoState(browser.page))?.currentTime ?? 0) > 0.3);
  const tracks = () =>
    browser.page.evaluate(() =>
      [...(document.querySelector("video")?.textTracks ?? [])].map(({ label, language, mode, cues }) => ({
        label,
        language,
        mode,
        cues: [...(cues ?? [])].map((cue) => [cue.startTime, cue.endTime, (cue as VTTCue).text] as const),
      })),
    );
  const choose = async (name: string) => {
    const { page } = browser;
    await page.locator("media-captions-menu-button").click();
    await page.getByRole("menuitemradio", { name }).click();
  };

  test("come with the stream, are off at first, and are shown when they are chosen", async () => {
    const { id } = await user.upload(await fixture("h264-aac-subtitles.mp4"));
    await browser.page.goto(`/watch/${id}`);
    await plays();
    expect((await videoState(browser.page))?.delivery).toBe("hls");
    const offered = await eventually("both are offered", async () => {
      const now = await tracks();
      return now.length === 2 && now;
    });
    expect(offered.map(({ label, language, mode }) => [label, language, mode === "showing"])).toEqual([
      ["English", "en", false],
      ["German", "de", false],
    ]);
    await choose("English");
    const english = await eventually("all cues are there", async () => {
      const track = (await tracks()).find(({ label }) => label === "English");
      return track && track.mode === "showing" && track.cues.length >= 3 && track;
    });
    expect(english.cues).toEqual([
      [0.5, 2, "Hello <b>world</b>"],
      [3, 5, "Over the cut\n&amp; on  lines"],
      [7.25, 8.125, "<i>Nearly</i> the end"],
    ]);
  });

  test("of a video without any have no button", async () => {
    const { id } = await user.upload(await fixture("h264-aac.mp4"));
    await browser.page.goto(`/watch/${id}`);
    await plays();
    expect(await browser.page.locator("media-captions-menu-button").isVisible()).toBe(false);
  });

  test("beside a library file are shown when the file is played as it is, and markup in them is text", async () => {
    const { page } = browser;
    const { items } = (await (await user.get("/api/titles?name=file&exact=true")).json()) as {
      items: { id: string }[];
    };
    await page.goto(`/watch/${items[0]?.id}`);
    await plays();
    expect((await videoState(page))?.delivery).toBe("progressive");
    await choose("English");
    const cues = await eventually("its cue is there", async () => {
      const [track] = await tracks();
      return track && track.mode === "showing" && track.cues.length === 1 && track.cues;
    });
    expect(cues).toEqual([[0, 9, "&lt;script&gt;alert(1)&lt;/script&gt;<b>bold</b>"]]);
    const shown = await page.evaluate(() => {
      const cue = document.querySelector("video")?.textTracks[0]?.cues?.[0] as VTTCue;
      const holder = document.createElement("div");
      holder.append(cue.getCueAsHTML());
      return [holder.querySelectorAll("script").length, holder.querySelectorAll("b").length, holder.textContent];
    });
    expect(shown).toEqual([0, 1, "<script>alert(1)</script>bold"]);
  });

  test("caused no error in the console and no breach of the policy", () => {
    expect(browser.troubles).toEqual([]);
  });
});
