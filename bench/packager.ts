import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { untilListed } from "./serving.ts";
import { firstVideoSegment } from "./stalled.ts";
import { fullHdMinute } from "./support/media.ts";
import { median } from "./support/process.ts";
import { against, type Figure, figure } from "./support/report.ts";
import { type BenchServer, signIn, startKinoraProcess, startNginx } from "./support/servers.ts";
import { wrk } from "./support/wrk.ts";

const RUNS = 5;
const SECONDS = 4;
const CONNECTIONS = 8;

/** Segments made just in time, warm, against nginx sending the same segments ready-made from disk. */
export async function benchPackager(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "kinora-bench-library-"));
  const ready = mkdtempSync(join(tmpdir(), "kinora-bench-ready-"));
  linkSync(await fullHdMinute(), join(folder, "film.mp4"));
  const kinora = await startKinoraProcess([folder]);
  const nginx = await startNginx(ready);
  try {
    const user = await signIn(kinora);
    const first = await firstVideoSegment(user, await untilListed(user));
    const paths = await storeSegments(user, first, ready);
    const load = (server: BenchServer) => loadSegments(server, paths, user.cookie);
    const ours: Load[] = [];
    const theirs: Load[] = [];
    for (let run = 0; run <= RUNS; run++) {
      const pair = [await load(kinora), await load(nginx)] as const;
      if (run === 0) continue;
      ours.push(pair[0]);
      theirs.push(pair[1]);
    }
    const ratio = median(ours.map(({ cpuMs }, index) => cpuMs / (theirs[index]?.cpuMs ?? Number.NaN)));
    return [
      figure(
        "JIT segments, 4 s 1080p 6 Mbit/s, warm, 8 viewers",
        `${Math.round(median(ours.map(({ rate }) => rate)))}/s at ${median(ours.map(({ cpuMs }) => cpuMs)).toFixed(2)} ms CPU each`,
      ),
      against("JIT segment: CPU against nginx sending it ready-made", ratio, "×", { atMost: 2 }),
    ];
  } finally {
    await kinora.close();
    await nginx.close();
    for (const path of [folder, ready]) rmSync(path, { recursive: true, force: true });
  }
}

interface Load {
  readonly rate: number;
  readonly cpuMs: number;
}

async function loadSegments(server: BenchServer, paths: readonly string[], cookie: string): Promise<Load> {
  const cpuBefore = server.cpuSeconds();
  const requests = paths.map((path) => ({ path, headers: { Cookie: cookie } }));
  const result = await wrk(server.url, { connections: CONNECTIONS, seconds: SECONDS, requests });
  if (result.errors > 0) throw new Error(`${result.errors} errors`);
  const cpuMs = ((server.cpuSeconds() - cpuBefore) / result.requests) * 1000;
  return { rate: result.requests / result.seconds, cpuMs };
}

/** Stores the first ten video segments under the same paths for nginx. */
async function storeSegments(user: { get(path: string): Promise<Response> }, first: string, root: string) {
  const number = Number.parseInt(basename(first), 10);
  const paths: string[] = [];
  for (let n = number; n < number + 10; n++) {
    const path = `${dirname(first)}/${n}.m4s`;
    const response = await user.get(path);
    if (!response.ok) break;
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), new Uint8Array(await response.arrayBuffer()));
    paths.push(path);
  }
  return paths;
}
