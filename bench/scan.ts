import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestUser } from "../test/support/kinora.ts";
import { fullHdMinute } from "./support/media.ts";
import { median } from "./support/process.ts";
import { against, type Figure, figure } from "./support/report.ts";
import { type BenchServer, signIn, startKinoraProcess } from "./support/servers.ts";

const RUNS = 5;
const LARGE_FILES = 24;
const SMALL_FILES = Number(process.env.BENCH_SCAN_FILES ?? 100_000);
const FILES_IN_FOLDER = 100;
const MIB = 2 ** 20;
const SEARCH_EVERY_MS = 25;

interface Report {
  readonly items: readonly { readonly state: string; readonly files: number }[];
  readonly unhashedBytes: number;
}

/** Library folders: large files hashed against `sha256sum`, and a hundred thousand small ones found, and found again. */
export async function benchScan(): Promise<Figure[]> {
  return [...(await hashing()), ...(await manyFiles())];
}

/** Bytes that no other file has, which players skip. */
function box(mark: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(16);
  bytes.write("free", 4);
  bytes.writeUInt32BE(mark, 12);
  return bytes;
}

async function hashing(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "kinora-bench-library-"));
  try {
    const minute = readFileSync(await fullHdMinute());
    const paths = Array.from({ length: LARGE_FILES }, (_, n) => join(folder, `film ${n}.mp4`));
    for (const [n, path] of paths.entries()) writeFileSync(path, Buffer.concat([minute, box(n)]));
    const bytes = LARGE_FILES * (minute.length + 16);
    const [ours, playable, theirs]: [number[], number[], number[]] = [[], [], []];
    for (let run = 0; run < RUNS; run++) {
      const begin = performance.now();
      const peer = Bun.spawn(["sha256sum", ...paths], { stdio: ["ignore", "ignore", "inherit"] });
      await peer.exited;
      theirs.push(performance.now() - begin);
      const { scannedMs, hashedMs } = await scanOnce(folder);
      playable.push(scannedMs);
      ours.push(hashedMs);
    }
    const rate = (ms: number) => `${Math.round(bytes / MIB / (ms / 1000))} MiB/s`;
    const what = `scan and hash of ${LARGE_FILES} files, ${(bytes / 1024 / MIB).toFixed(1)} GiB`;
    return [
      figure(what, `${rate(median(ours))} (sha256sum ${rate(median(theirs))})`),
      against(`${what}: speed against sha256sum`, median(theirs) / median(ours), "×", { atLeast: 0.8 }),
      figure(`${what}: all of them can be watched after`, `${Math.round(median(playable))} ms`),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Adds the folder to a running Kinora, so that its start is not counted. */
async function scanOnce(folder: string): Promise<{ scannedMs: number; hashedMs: number }> {
  const kinora = await startKinoraProcess();
  try {
    const user = await signIn(kinora);
    const begin = performance.now();
    const added = await user.post("/api/library/folders", { path: folder });
    if (added.status !== 201) throw new Error(await added.text());
    await untilReport(user, ({ items }) =>
      items.every(({ state, files }) => state === "ready" && files === LARGE_FILES),
    );
    const scannedMs = performance.now() - begin;
    await untilReport(user, ({ unhashedBytes }) => unhashedBytes === 0);
    return { scannedMs, hashedMs: performance.now() - begin };
  } finally {
    await kinora.close();
  }
}

async function untilReport(user: TestUser, isDone: (report: Report) => boolean, everyMs = 10): Promise<void> {
  for (;;) {
    const response = await user.get("/api/library");
    if (isDone((await response.json()) as Report)) return;
    await Bun.sleep(everyMs);
  }
}

async function manyFiles(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "kinora-bench-library-"));
  const data = mkdtempSync(join(tmpdir(), "kinora-bench-data-"));
  try {
    await makeSmallFiles(folder);
    const first = await startAndScan(folder, data);
    const second = await startAndScan(folder, data);
    const what = `${SMALL_FILES.toLocaleString("en")} small files`;
    const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
    const mib = (bytes: number) => Math.round(bytes / MIB);
    return [
      figure(`${what}: first scan, with hash`, seconds(first.ms)),
      figure(`${what}: RSS before, and after the first scan`, `${mib(first.before)} and ${mib(first.after)} MiB`),
      figure(`${what}: RSS at most during the first scan`, `${mib(first.most)} MiB`),
      figure(`${what}: search during the first scan, median and p99`, latencies(first.searches)),
      figure(`${what}: second start, nothing read again`, seconds(second.ms)),
      figure(`${what}: RSS after the second start`, `${mib(second.after)} MiB`),
    ];
  } finally {
    for (const path of [folder, data]) rmSync(path, { recursive: true, force: true });
  }
}

function latencies(searches: readonly number[]): string {
  const sorted = [...searches].sort((a, b) => a - b);
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
  return `${median(searches).toFixed(1)} ms and ${p99.toFixed(1)} ms (${searches.length} searches)`;
}

async function makeSmallFiles(folder: string): Promise<void> {
  const sample = join(folder, "sample.mp4");
  const made = Bun.spawn([
    ...["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=size=64x64:rate=10:duration=0.5"],
    ...["-c:v", "libx264", "-pix_fmt", "yuv420p", sample],
  ]);
  if ((await made.exited) !== 0) throw new Error("no sample");
  const bytes = readFileSync(sample);
  rmSync(sample);
  for (let n = 0; n < SMALL_FILES; n++) {
    const inside = join(
      folder,
      `shelf ${Math.floor(n / FILES_IN_FOLDER / 30)}`,
      `box ${Math.floor(n / FILES_IN_FOLDER)}`,
    );
    if (n % FILES_IN_FOLDER === 0) mkdirSync(inside, { recursive: true });
    writeFileSync(join(inside, `clip ${n}.mp4`), Buffer.concat([bytes, box(n)]));
  }
}

interface Scan {
  readonly ms: number;
  readonly before: number;
  readonly after: number;
  readonly most: number;
  readonly searches: readonly number[];
}

async function startAndScan(folder: string, data: string): Promise<Scan> {
  // The folder joins a running Kinora the first time; the second start meets it at its start.
  const kinora = await startKinoraProcess([], data);
  try {
    const user = await signIn(kinora);
    const before = kinora.rssBytes();
    const begin = performance.now();
    await user.post("/api/library/folders", { path: folder });
    const done = untilReport(
      user,
      ({ items }) => items.every(({ state, files }) => state === "ready" && files === SMALL_FILES),
      200,
    );
    const { searches, most } = await searchUntil(done, user, kinora);
    const ms = performance.now() - begin;
    await Bun.sleep(2_000);
    return { ms, before, after: kinora.rssBytes(), most, searches };
  } finally {
    await kinora.close();
  }
}

async function searchUntil(done: Promise<void>, user: TestUser, kinora: BenchServer) {
  const searches: number[] = [];
  let [running, most] = [true, 0];
  const stop = () => {
    running = false;
  };
  done.then(stop, stop);
  while (running) {
    const begin = performance.now();
    await (await user.get("/api/titles?q=clip&limit=50")).arrayBuffer();
    searches.push(performance.now() - begin);
    most = Math.max(most, kinora.rssBytes());
    await Bun.sleep(SEARCH_EVERY_MS);
  }
  await done;
  return { searches, most };
}
