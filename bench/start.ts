import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median, rssBytesOf } from "./support/process.ts";
import { against, type Figure } from "./support/report.ts";

const RUNS = 7;
const IDLE_MS = 3_000;

/** From starting the process to the first answer, and memory when nothing happens, with an empty library. */
export async function benchStart(): Promise<Figure[]> {
  const built = Bun.spawn([process.execPath, "scripts/build-server.ts"], { stdio: ["ignore", "inherit", "inherit"] });
  if ((await built.exited) !== 0) throw new Error("the server could not be built");
  const folder = mkdtempSync(join(tmpdir(), "kinora-bench-start-"));
  const starts: number[] = [];
  const sizes: number[] = [];
  try {
    for (let run = 0; run <= RUNS; run++) {
      const { startMs, rssBytes } = await startOnce(folder, run === RUNS);
      // The first run also makes the database and the secrets, and fills the page cache: it is not counted.
      if (run > 0) starts.push(startMs);
      if (rssBytes !== null) sizes.push(rssBytes);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return [
    against("start to listening, empty library", median(starts), "ms", { atMost: 300 }),
    against("idle RSS", median(sizes) / 2 ** 20, "MiB", { atMost: 120 }),
  ];
}

async function startOnce(folder: string, measureMemory: boolean) {
  const begin = performance.now();
  const child = Bun.spawn([process.execPath, "dist/server/kinora.js", "serve"], {
    env: {
      ...process.env,
      KINORA_DATA: folder,
      KINORA_LISTEN: "127.0.0.1:0",
      KINORA_RTSP_LISTEN: "127.0.0.1:0",
      KINORA_LOG_LEVEL: "silent",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await printedUrl(child.stdout);
  await fetch(`${url}/healthz`);
  const startMs = performance.now() - begin;
  if (measureMemory) await Bun.sleep(IDLE_MS);
  const rssBytes = measureMemory ? rssBytesOf(child.pid) : null;
  child.kill("SIGTERM");
  await child.exited;
  return { startMs, rssBytes };
}

/** The address that the start prints, as a person would read it. */
async function printedUrl(output: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of output) {
    text += decoder.decode(chunk, { stream: true });
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0];
    if (url) return url;
  }
  throw new Error(`no address in: ${text}`);
}
