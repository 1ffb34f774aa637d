import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { buildWeb } from "../support/build-web.ts";
import { type Browser, openBrowser } from "../support/chromium.ts";
import { has } from "../support/debian.ts";
import { type Firefox, openFirefox } from "../support/firefox.ts";
import { type FixtureName, fixture } from "../support/fixtures.ts";
import { casesFor, isLong } from "../support/players/cases.ts";
import type { PagePlayer, PageReport } from "../support/players/page.ts";
import { judgePage, type PlayerPage, playScript, servePlayerPage } from "../support/players/player-page.ts";
import { PlayerRecord } from "../support/players/record.ts";
import { Stage } from "../support/players/stage.ts";
import { until } from "../support/until.ts";

const players: readonly PagePlayer[] = ["hls.js", "dash.js", "Shaka"];
/** How many times faster than real time. */
const rate = 8;

const record = new PlayerRecord();
let stage: Stage;
let page: PlayerPage;
beforeAll(async () => {
  await buildWeb();
  stage = await Stage.open();
  page = await servePlayerPage(stage.kinora.url);
}, 60_000);
afterAll(async () => {
  await page.close();
  await stage.close();
  if (isLong) await record.save("browsers");
});

/** Whether the browser takes the picture's codec. */
async function decodes(name: FixtureName, evaluate: (script: string) => Promise<unknown>): Promise<boolean> {
  const playlist = await (await fetch(await stage.url(name, "hls"))).text();
  const codec = /CODECS="([^",]*)/.exec(playlist)?.[1] ?? "";
  return (await evaluate(`String(MediaSource.isTypeSupported('video/mp4; codecs="${codec}"'))`)) === "true";
}

/** Tests of all players in one browser. */
function playEverything(
  browser: string,
  players: readonly PagePlayer[],
  evaluate: (script: string) => Promise<string>,
): void {
  for (const player of players) {
    const name = `${player} in ${browser}`;
    const cases = casesFor(name);
    if (cases.length === 0) continue;
    test.each(cases)(`${player} plays %s of %s to the end and after seeks`, async (protocol, fixture) => {
      const task = await stage.task(fixture, protocol, 2, page.origin);
      const { url, seeks } = task;
      // How players say that a browser has no decoder is told by the formats' test.
      if (!(await decodes(fixture, evaluate))) return;
      const report = JSON.parse(await evaluate(playScript({ player, url, seeks, rate }))) as PageReport;
      expect(record.note(name, protocol, fixture, judgePage(report, task))).toEqual([]);
    });
  }
}

describe.skipIf(!has("chromium", "ffmpeg"))("in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser(page.origin, { isWhole: true });
    await browser.page.goto("/players");
  }, 30_000);
  afterAll(() => browser?.close());

  playEverything("Chromium", players, (script) => browser.page.evaluate(script));

  test.each([
    ["hls.js", "hls"],
    ["dash.js", "dash"],
    ["Shaka", "dash"],
  ] as const)("a page of another site plays a private video by a playback link with %s", async (player, protocol) => {
    const { id } = await stage.owner.upload(await fixture("h264-aac.mp4"));
    const link = await (await stage.owner.post("/api/links", { titleId: id })).json();
    const task = { ...(await stage.task("h264-aac.mp4", protocol)), url: link[`${protocol}Url`], seeks: [4.2] };
    expect(new URL(task.url).origin).not.toBe(page.origin);
    const script = playScript({ player, url: task.url, seeks: task.seeks, rate });
    const report = JSON.parse(await browser.page.evaluate<string>(script)) as PageReport;
    expect(judgePage(report, task)).toEqual([]);
  });

  test("had no error in the console", () => {
    // Playback links lead to another origin than the page's, on purpose.
    const isLink = (text: string) => text.startsWith(`outside: ${stage.kinora.url}/stream/`);
    expect(browser.troubles.filter((text) => !isLink(text))).toEqual([]);
  });
});

describe.skipIf(!has("firefox-esr", "ffmpeg"))("in Firefox", () => {
  let firefox: Firefox;
  beforeAll(async () => {
    firefox = await openFirefox();
    await firefox.open(`${page.origin}/players`);
  }, 60_000);
  afterAll(() => firefox?.close());

  playEverything("Firefox", isLong ? players : ["hls.js"], (script) => firefox.evaluate(script));

  test("the watch page plays, and goes on after seeks", async () => {
    await firefox.open(`${stage.kinora.url}/watch/${await stage.title("h264-aac-60s.mp4")}`);
    const ask = <T>(expression: string) =>
      firefox.evaluate<T>(`(() => { const video = document.querySelector("video"); return ${expression}; })()`);
    await until(() => ask("video !== null && video.readyState >= 2"), 20_000);
    await ask("(video.muted = true, video.play(), 0)");
    for (const to of [0, 41.3, 7.9, 58.5]) {
      if (to > 0) await ask(`(video.currentTime = ${to}, 0)`);
      const pictures = await ask<number>("video.getVideoPlaybackQuality().totalVideoFrames");
      await until(() => ask(`!video.seeking && video.currentTime > ${to + 0.3}`), 20_000);
      expect(await ask<number>("video.getVideoPlaybackQuality().totalVideoFrames")).toBeGreaterThan(pictures);
    }
    await until(() => ask("video.ended"), 20_000);
    expect(await ask<string>("document.querySelector('.player').dataset.delivery")).toBe("hls");
    expect(await ask<unknown>("video.error")).toBeNull();
  });

  test("had no error in the console", () => {
    expect(firefox.troubles).toEqual([]);
  });
});
