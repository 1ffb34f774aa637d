import { linkSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { twoHours } from "./support/media.ts";
import { median } from "./support/process.ts";
import { against, type Figure, figure } from "./support/report.ts";
import { type BenchServer, signIn, startKinoraProcess, startNginx } from "./support/servers.ts";
import { wrk } from "./support/wrk.ts";

const RUNS = 5;
const SECONDS = 4;
const CONNECTIONS = 8;
const GIB = 2 ** 30;

/** Ranges of an original, signed in, against nginx sending the same ranges of the same file with sendfile. */
export async function benchServing(): Promise<Figure[]> {
  const original = await twoHours();
  const folder = mkdtempSync(join(tmpdir(), "kinora-bench-library-"));
  linkSync(original, join(folder, "film.mp4"));
  const kinora = await startKinoraProcess([folder]);
  const nginx = await startNginx(folder);
  try {
    const user = await signIn(kinora);
    const id = await untilListed(user);
    const sizeBytes = Bun.file(original).size;
    const targets = {
      kinora: { server: kinora, path: `/stream/${id}/original`, headers: { Cookie: user.cookie } },
      nginx: { server: nginx, path: "/film.mp4", headers: {} },
    };
    return [
      ...(await compare("8 MiB ranges", 8 * 2 ** 20, sizeBytes, targets)),
      ...(await compare("1 MiB ranges", 2 ** 20, sizeBytes, targets)),
      ...(await compare("64 KiB ranges", 2 ** 16, sizeBytes, targets, false)),
    ];
  } finally {
    await kinora.close();
    await nginx.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Target {
  readonly server: BenchServer;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

async function compare(
  what: string,
  rangeBytes: number,
  sizeBytes: number,
  targets: { kinora: Target; nginx: Target },
  hasBudget = true,
): Promise<Figure[]> {
  const throughput: number[] = [];
  const cpu: number[] = [];
  const rates: number[] = [];
  for (let run = 0; run <= RUNS; run++) {
    const ours = await load(targets.kinora, rangeBytes, sizeBytes);
    const theirs = await load(targets.nginx, rangeBytes, sizeBytes);
    if (run === 0) continue;
    throughput.push(ours.bytesPerSecond / theirs.bytesPerSecond);
    cpu.push(ours.cpuPerGib / theirs.cpuPerGib);
    rates.push(ours.bytesPerSecond / GIB);
  }
  const at = `ranged original, ${what}`;
  const note = `${median(rates).toFixed(2)} GiB/s`;
  if (!hasBudget) {
    return [
      figure(at, `${median(throughput).toFixed(2)} × throughput, ${median(cpu).toFixed(2)} × CPU of nginx (${note})`),
    ];
  }
  return [
    against(`${at}: throughput against nginx (${note})`, median(throughput), "×", { atLeast: 0.9 }),
    against(`${at}: CPU for each GiB against nginx`, median(cpu), "×", { atMost: 0.5 }),
  ];
}

/** The same ranges in the same order for both; spread over the file, whole ranges only. */
async function load({ server, path, headers }: Target, rangeBytes: number, sizeBytes: number) {
  const count = 64;
  const step = Math.floor((sizeBytes - rangeBytes) / count);
  const requests = Array.from({ length: count }, (_, index) => ({
    path,
    headers: { ...headers, Range: `bytes=${index * step}-${index * step + rangeBytes - 1}` },
  }));
  const cpuBefore = server.cpuSeconds();
  const result = await wrk(server.url, { connections: CONNECTIONS, seconds: SECONDS, requests });
  const cpuSeconds = server.cpuSeconds() - cpuBefore;
  if (result.errors > 0 || result.bytes === 0) throw new Error(`${server.url}${path}: ${result.errors} errors`);
  return { bytesPerSecond: result.bytes / result.seconds, cpuPerGib: cpuSeconds / (result.bytes / GIB) };
}

export async function untilListed(user: { get(path: string): Promise<Response> }): Promise<string> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const { items } = (await (await user.get("/api/titles")).json()) as { items: { id: string }[] };
    if (items[0]) return items[0].id;
    await Bun.sleep(100);
  }
  throw new Error("the library never showed the film");
}
