import { openBrowser } from "../chromium.ts";
import { type MatrixCell, matrixCells } from "../fixture-matrix.ts";
import type { Played } from "./formats.ts";
import type { PagePlayer, PageReport } from "./page.ts";
import type { Protocol } from "./player.ts";
import { judgePage, playScript, servePlayerPage } from "./player-page.ts";
import type { Stage } from "./stage.ts";

/** How a player says that the browser has no decoder. */
const undecodable = /Incompatible|bufferAddCodecError|DEMUXER_ERROR|DECODER_ERROR|no decoder|no supported/i;

type Way = Protocol | "file";
const players: Readonly<Record<Way, PagePlayer>> = { hls: "hls.js", dash: "dash.js", file: "video" };

/** Plays all of the matrix in Chromium. */
export async function playFormats(stage: Stage, cells = matrixCells()): Promise<Played> {
  const page = await servePlayerPage(stage.kinora.url);
  const browser = await openBrowser(page.origin, {}, [/.*/]);
  const decodes = (codec: string) =>
    browser.page.evaluate<boolean>(`MediaSource.isTypeSupported('video/mp4; codecs="${codec}"')`);
  const play = async ({ name, container }: MatrixCell, way: Way) => {
    // In a file without an index Chromium itself guesses where to go on, and now and then that is no key frame.
    const seeks = way === "file" && container === "mkv-live" ? 0 : 1;
    const task = await stage.task(name, way === "dash" ? "dash" : "hls", seeks, page.origin);
    const master = await fetch(await stage.url(name, "hls"));
    if (way !== "file" && !master.ok) return "not packaged";
    const codecs = /CODECS="([^"]*)"/.exec(await master.text())?.[1]?.split(",") ?? [];
    if (codecs[0] !== undefined && !(await decodes(codecs[0]))) return "not decoded";
    const url = way === "file" ? `${page.origin}/stream/${await stage.title(name)}/faststart` : task.url;
    const script = playScript({ player: players[way], url, seeks: task.seeks, rate: 8 });
    const report = JSON.parse(await browser.page.evaluate<string>(script)) as PageReport;
    if (way === "file" && report.pictures === 0) return "not decoded";
    // A file's ranges are fetched here and there.
    const complaints = judgePage(report, task).filter((text) => way !== "file" || !text.startsWith("gaps in"));
    if (complaints.length === 0) return report.sound ? "plays" : "plays, no sound";
    return undecodable.test(complaints.join(" ")) ? "not decoded" : complaints.join("; ");
  };
  try {
    await browser.page.goto("/players");
    const results: Record<string, Played["results"][string]> = {};
    for (const cell of cells) {
      const { name } = cell;
      results[name] = {
        hls: await play(cell, "hls"),
        dash: await play(cell, "dash"),
        file: await play(cell, "file"),
      };
      console.error(name, JSON.stringify(results[name]));
    }
    const version = browser.context.browser()?.version() ?? (await browser.page.evaluate(() => navigator.userAgent));
    return { browser: `Chromium ${version}`, date: new Date().toISOString().slice(0, 10), results };
  } finally {
    await browser.close();
    await page.close();
  }
}
