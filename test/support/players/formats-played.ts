import { openBrowser } from "../chromium.ts";
import { matrixCells } from "../fixture-matrix.ts";
import type { FixtureName } from "../fixtures.ts";
import type { Played } from "./formats.ts";
import type { PagePlayer, PageReport } from "./page.ts";
import type { Protocol } from "./player.ts";
import { judgePage, playScript, servePlayerPage } from "./player-page.ts";
import type { Stage } from "./stage.ts";

/** How a player says that the browser has no decoder. */
const undecodable =
  /manifestIncompatibleCodecsError|bufferIncompatibleCodecsError|bufferAddCodecError|DEMUXER_ERROR_(NO_SUPPORTED_STREAMS|COULD_NOT_OPEN)|PIPELINE_ERROR_DECODE|DECODER_ERROR_NOT_SUPPORTED|No supported|not supported|"code":(10|32|33|34|35)\b/i;

/** Plays all of the matrix in Chromium. */
export async function playFormats(stage: Stage): Promise<Played> {
  const page = await servePlayerPage(stage.kinora.url);
  const browser = await openBrowser(page.origin, {}, [/.*/]);
  try {
    await browser.page.goto("/players");
    const play = async (player: PagePlayer, name: FixtureName, protocol: Protocol | "file") => {
      const task = await stage.task(name, protocol === "file" ? "hls" : protocol, 1, page.origin);
      const url = protocol === "file" ? `${page.origin}/stream/${await stage.title(name)}/faststart` : task.url;
      if (protocol !== "file" && !(await fetch(url)).ok) return "not packaged";
      const script = playScript({ player, url, seeks: task.seeks, rate: 8 });
      const report = JSON.parse(await browser.page.evaluate<string>(script)) as PageReport;
      const complaints = judgePage(report, task);
      if (complaints.length === 0) return "plays";
      return undecodable.test(complaints.join(" ")) ? "not decoded" : complaints.join("; ");
    };
    const results: Record<string, Played["results"][string]> = {};
    for (const { name } of matrixCells()) {
      results[name] = {
        hls: await play("hls.js", name, "hls"),
        dash: await play("dash.js", name, "dash"),
        file: await play("video", name, "file"),
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
