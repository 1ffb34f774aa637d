import type { Page } from "playwright-core";
import { buildWeb } from "../test/support/build-web.ts";
import { enter, openBrowser } from "../test/support/chromium.ts";
import type { TestUser } from "../test/support/kinora.ts";
import { twentyMinutes } from "./support/media.ts";
import { against, type Figure, figure } from "./support/report.ts";
import { signIn, startKinoraProcess } from "./support/servers.ts";

const RUNS = 20;

/** What the pages weigh, and how long a person waits for pictures, in Chromium on this machine. */
export async function benchPages(): Promise<Figure[]> {
  await buildWeb();
  const kinora = await startKinoraProcess();
  try {
    const user = await signIn(kinora);
    const { id } = await user.upload(await twentyMinutes(), { name: "Twenty minutes" });
    const sizes = { library: await bytesOf(kinora.url, "/library"), watch: await bytesOf(kinora.url, `/watch/${id}`) };
    const waits = await waitsFor(kinora.url, user, id, kinora.folder);
    return [
      against("library page, all files of the app, compressed", sizes.library.files / 1000, "KB", { atMost: 60 }),
      against("watch page, all files of the app, compressed", sizes.watch.files / 1000, "KB", { atMost: 300 }),
      figure("library page with headers and answers", `${(sizes.library.all / 1000).toFixed(0)} KB`),
      figure("watch page with headers and answers", `${(sizes.watch.all / 1000).toFixed(0)} KB`),
      against("click to first frame in Chromium, p95", slowest(waits.firstFrames), "ms", { atMost: 1000 }),
      against("seek to a picture in Chromium, p95", slowest(waits.seeks), "ms", { atMost: 500 }),
    ];
  } finally {
    await kinora.close();
  }
}

/** The 95th of a hundred. */
function slowest(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? Number.NaN;
}

async function withPage<T>(url: string, use: (page: Page) => Promise<T>): Promise<T> {
  const browser = await openBrowser(url, { isWhole: true });
  try {
    await browser.page.goto("/");
    await enter(browser.page, "bench", "correct horse battery");
    return await use(browser.page);
  } finally {
    await browser.close();
  }
}

/**
 * What a page brings over the wire from an empty cache: the bytes of the app's files, and all bytes but media, with
 * headers and what the API answers.
 */
function bytesOf(url: string, path: string): Promise<{ files: number; all: number }> {
  return withPage(url, async (page) => {
    const session = await page.context().newCDPSession(page);
    await session.send("Network.enable");
    await session.send("Network.setCacheDisabled", { cacheDisabled: true });
    const paths = new Map<string, string>();
    const headers = new Map<string, number>();
    const bytes = { files: 0, all: 0 };
    session.on("Network.requestWillBeSent", ({ requestId, request }) => {
      paths.set(requestId, new URL(request.url).pathname);
    });
    session.on("Network.responseReceived", ({ requestId, response }) => {
      headers.set(requestId, response.encodedDataLength);
    });
    session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
      const from = paths.get(requestId);
      // Of the pictures on covers, which are media, only the end is told.
      if (from === undefined || from.startsWith("/stream/")) return;
      bytes.all += encodedDataLength;
      if (!from.startsWith("/api/")) bytes.files += encodedDataLength - (headers.get(requestId) ?? 0);
    });
    await page.goto(path);
    await page.locator("h1").first().waitFor();
    await Bun.sleep(2_000);
    return bytes;
  });
}

/** Milliseconds from the click to the first picture of a cold page, and from a seek to its picture. */
function waitsFor(url: string, user: TestUser, id: string, folder: string) {
  return withPage(url, async (page) => {
    const firstFrames: number[] = [];
    const seeks: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      await user.send("PUT", `/api/titles/${id}/progress`, { positionSeconds: 0 });
      await page.goto("/videos");
      await page.getByRole("radio").first().waitFor({ state: "attached" });
      await page.getByLabel("Search").press("ArrowDown");
      await forgetFiles(folder);
      const begin = performance.now();
      await page
        .getByRole("link", { name: "Play" })
        .or(page.getByRole("button", { name: "Play" }))
        .first()
        .click();
      await page.waitForURL(/\/watch\//);
      await page.waitForFunction(() => {
        const video = document.querySelector("video");
        return video !== null && video.getVideoPlaybackQuality().totalVideoFrames > 0;
      });
      firstFrames.push(performance.now() - begin);
      await forgetFiles(folder);
      seeks.push(await page.evaluate(seek, ((run * 0.618) % 1) * 1_150));
    }
    return { firstFrames, seeks };
  });
}

/** Takes the large files of a folder out of the system's memory: each run reads the video from the disk. */
async function forgetFiles(folder: string): Promise<void> {
  const find = Bun.spawn(["find", folder, "-type", "f", "-size", "+1M"], { stdout: "pipe" });
  for (const path of (await new Response(find.stdout).text()).split("\n").filter(Boolean)) {
    // With nothing to read, `nocache` gives up what is cached of the whole file.
    const dd = ["dd", `if=${path}`, "iflag=nocache", "count=0", "of=/dev/null", "status=none"];
    if ((await Bun.spawn(dd).exited) !== 0) throw new Error(`dd failed for ${path}`);
  }
}

function seek(to: number): Promise<number> {
  const video = document.querySelector("video");
  if (!video) throw new Error("no video");
  return new Promise((resolve) => {
    const begin = performance.now();
    video.addEventListener("seeked", () => resolve(performance.now() - begin), { once: true });
    video.currentTime = to;
  });
}
