import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { untilListed } from "./serving.ts";
import { fullHdMinute, twentyMinutes } from "./support/media.ts";
import { median } from "./support/process.ts";
import { against, type Figure, figure } from "./support/report.ts";
import { type BenchServer, signIn, startKinoraProcess, startNginx } from "./support/servers.ts";
import { wrk } from "./support/wrk.ts";

const RUNS = 5;
const SECONDS = 3;
const VIEWERS = [1, 16, 64];

type User = { get(path: string): Promise<Response> };
type Kind = "video" | "audio";
const kinds: readonly Kind[] = ["video", "audio"];

/**
 * Segments made just in time, warm, against nginx sending the same ones ready-made from disk and against ffmpeg writing
 * them there.
 */
export async function benchPackager(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "kinora-bench-library-"));
  const ready = mkdtempSync(join(tmpdir(), "kinora-bench-ready-"));
  linkSync(await fullHdMinute(), join(folder, "film.mp4"));
  const kinora = await startKinoraProcess([folder]);
  const nginx = await startNginx(ready);
  try {
    const user = await signIn(kinora);
    const id = await untilListed(user);
    const figures: Figure[] = [];
    for (const kind of kinds) {
      const paths = await storeSegments(user, `/stream/${id}/hls/`, kind, ready);
      const load = (server: BenchServer, viewers: number) => loadSegments(server, paths, viewers, user.cookie);
      const written = await ffmpegCpuMs(kind);
      figures.push(figure(`${kind} segment of 4 s written by ffmpeg -c copy`, `${written.toFixed(2)} ms CPU each`));
      for (const viewers of VIEWERS) figures.push(...(await compare(kind, viewers, kinora, nginx, load)));
    }
    return figures;
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

async function compare(
  kind: Kind,
  viewers: number,
  kinora: BenchServer,
  nginx: BenchServer,
  load: (server: BenchServer, viewers: number) => Promise<Load>,
): Promise<Figure[]> {
  const [ours, theirs]: [Load[], Load[]] = [[], []];
  for (let run = 0; run <= RUNS; run++) {
    const pair = [await load(kinora, viewers), await load(nginx, viewers)] as const;
    if (run === 0) continue;
    ours.push(pair[0]);
    theirs.push(pair[1]);
  }
  const ratio = median(ours.map(({ cpuMs }, index) => cpuMs / (theirs[index]?.cpuMs ?? Number.NaN)));
  const told = (loads: readonly Load[]) =>
    `${Math.round(median(loads.map(({ rate }) => rate)))}/s at ${median(loads.map(({ cpuMs }) => cpuMs)).toFixed(2)} ms`;
  const what = `JIT ${kind} segments of 4 s, warm, viewers: ${viewers}`;
  const comparison = `${what}: CPU against nginx sending them ready-made`;
  return [
    figure(what, `${told(ours)} CPU each (nginx ${told(theirs)})`),
    kind === "video"
      ? against(comparison, ratio, "×", { atMost: 2 })
      : figure(comparison, `${Number(ratio.toPrecision(3))} ×`),
  ];
}

async function loadSegments(server: BenchServer, paths: readonly string[], viewers: number, cookie: string) {
  const cpuBefore = server.cpuSeconds();
  const requests = paths.map((path) => ({ path, headers: { Cookie: cookie } }));
  const result = await wrk(server.url, { connections: viewers, seconds: SECONDS, requests });
  if (result.errors > 0) throw new Error(`${result.errors} errors`);
  const cpuMs = ((server.cpuSeconds() - cpuBefore) / result.requests) * 1000;
  return { rate: result.requests / result.seconds, cpuMs };
}

/** Stores the first ten segments of a track under the same paths for nginx. */
async function storeSegments(user: User, base: string, kind: Kind, root: string): Promise<string[]> {
  const master = await (await user.get(`${base}master.m3u8`)).text();
  const form = kind === "video" ? /^(?!#)(.+\.m3u8)$/m : /TYPE=AUDIO.*URI="([^"]+)"/;
  const playlist = base + (form.exec(master)?.[1] ?? "");
  const media = await (await user.get(playlist)).text();
  const names = media.split("\n").filter((line) => line.endsWith(".m4s"));
  const paths = names.slice(0, 10).map((name) => `${dirname(playlist)}/${name}`);
  for (const path of paths) {
    const response = await user.get(path);
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), new Uint8Array(await response.arrayBuffer()));
  }
  return paths;
}

/** CPU of `ffmpeg -c copy -f hls` for each segment it writes of twenty minutes; its start counts little in 300. */
async function ffmpegCpuMs(kind: Kind): Promise<number> {
  const film = await twentyMinutes();
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const folder = mkdtempSync(join(tmpdir(), "kinora-bench-hls-"));
    const child = Bun.spawn(
      [
        ...["ffmpeg", "-v", "error", "-i", film, "-map", kind === "video" ? "0:v" : "0:a", "-c", "copy", "-f", "hls"],
        ...["-hls_time", "4", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4", join(folder, "list.m3u8")],
      ],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
    if ((await child.exited) !== 0) throw new Error("ffmpeg failed");
    const segments = readdirSync(folder).filter((name) => name.endsWith(".m4s")).length;
    times.push(Number(child.resourceUsage()?.cpuTime.total ?? Number.NaN) / 1000 / segments);
    rmSync(folder, { recursive: true, force: true });
  }
  return median(times);
}
