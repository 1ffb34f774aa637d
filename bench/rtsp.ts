import { linkSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestUser } from "../test/support/kinora.ts";
import { untilListed } from "./serving.ts";
import { twentyMinutes } from "./support/media.ts";
import { cpuSecondsOf, cpuSecondsOfAll, median, rssBytesOf } from "./support/process.ts";
import { against, type Figure, figure } from "./support/report.ts";
import { LATE_MS, type SeenByPlayers } from "./support/rtsp-players.ts";
import { signIn, startKinoraProcess } from "./support/servers.ts";

const RUNS = 5;
/** How long all players play together, in seconds. */
const SECONDS = 4;
/** Others on the machine are quiet when they take less than this of a core. */
const QUIET = 0.15;
/** Readers that stall, and for how long. They are given up 10 s after nothing more goes into the network. */
const STALLED = 500;
const STALLED_SECONDS = 8;
/** Two seconds apart: nothing that one of 300 players is sent is there for another. */
const SPREAD = 300;

/** Debian's names; the programs of the whole bench are in `run.ts`. */
export const rtspPackages: Readonly<Record<string, string>> = Object.fromEntries(
  ["gir1.2-gst-rtsp-server-1.0", "python3-gi", "gstreamer1.0-plugins-good", "gstreamer1.0-plugins-bad"].map((name) => [
    name,
    name,
  ]),
);

interface Server {
  readonly url: string;
  readonly pid: number;
  close(): Promise<void>;
}

/** Players at real speed over TCP, each at its own place of a film unless it says the same, against gst-rtsp-server. */
export async function benchRtsp(): Promise<Figure[]> {
  const film = await twentyMinutes();
  using library = new FilmLibrary(film);
  const ratios: number[] = [];
  const ours: Measured[] = [];
  const theirs: Measured[] = [];
  for (let run = 0; run < RUNS; run++) {
    ours.push(await measure(() => startKinora(library), 30, SPREAD));
    // It shares nothing between players, and refuses some that begin elsewhere: all of its own begin at the start.
    theirs.push(await measure(() => startGstreamer(film), 30, 1));
    ratios.push((ours.at(-1)?.cpu ?? 0) / (theirs.at(-1)?.cpu ?? 0));
  }
  return [
    against("RTSP over TCP, 30 players: CPU for each against gst-rtsp-server", median(ratios), "×", { atMost: 0.25 }),
    described("gst-rtsp-server, 30 players", theirs),
    described("Kinora, 30 players at 30 places", ours),
    described("Kinora, 1 player", await several(() => measure(() => startKinora(library), 1, SPREAD))),
  ];
}

/** As many players as the machine is to carry without a late packet; and readers that stall. */
export async function benchRtspMany(): Promise<Figure[]> {
  using library = new FilmLibrary(await twentyMinutes());
  const start = () => startKinora(library);
  const same = await several(() => measure(start, 300, 1));
  const many = await several(() => measure(start, 300, SPREAD));
  // Whoever else takes a core as players begin makes them late: that tells of the machine.
  const quiet = many.filter(({ others }) => others < QUIET);
  return [
    described("Kinora, 300 players at the same place", same),
    described("Kinora, 300 players at 300 places", many),
    lateFigure(quiet),
    await stalledReaders(library),
  ];
}

function lateFigure(quiet: readonly Measured[]): Figure {
  const what = `RTSP over TCP, 300 players: late packets, in the worst of ${quiet.length} runs (of ${RUNS}) while others took under ${QUIET * 100} % of a core`;
  if (quiet.length === 0) return figure(what, "not known: others were busy in all of them");
  return against(what, Math.max(...quiet.map(({ seen }) => seen.late)), "", { atMost: 0 });
}

async function several<T>(once: () => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  for (let run = 0; run < RUNS; run++) all.push(await once());
  return all;
}

interface Measured {
  /** Of a core, for each player. */
  readonly cpu: number;
  /** More than before the players came, for each. */
  readonly memoryBytes: number;
  readonly rssBytes: number;
  readonly seen: SeenByPlayers;
  /** What everything else on the machine took meanwhile, of a core. */
  readonly others: number;
}

function described(what: string, all: readonly Measured[]): Figure {
  const of = (value: (one: Measured) => number) => median(all.map(value));
  const worst = (value: (one: Measured) => number) => Math.max(...all.map(value));
  const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
  const parts = [
    `${(of(({ cpu }) => cpu) * 100).toFixed(2)} % of a core and ${mib(of(({ memoryBytes }) => memoryBytes))} MiB each`,
    `${mib(of(({ rssBytes }) => rssBytes))} MiB RSS`,
    `PLAY to first packet ${of(({ seen }) => seen.startMs.median).toFixed(0)} ms`,
    `the players themselves ${(of(({ seen }) => seen.ownCpu) * 100).toFixed(0)} % of a core`,
    `others on the machine ${(of(({ others }) => others) * 100).toFixed(0)} %`,
    `worst run: ${worst(({ seen }) => seen.late)} packets late by more than ${LATE_MS} ms, of ${worst(({ seen }) => seen.packets)}`,
  ];
  return figure(`RTSP over TCP, 1080p at 6 Mbit/s: ${what}`, parts.join("; "));
}

/** A fresh server, so many players at so many places, and what both say. */
async function measure(start: () => Promise<Server>, players: number, places: number): Promise<Measured> {
  const server = await start();
  try {
    const before = rssBytesOf(server.pid);
    const [came, all, own] = [performance.now(), cpuSecondsOfAll(), cpuSecondsOf(server.pid)];
    const args = [server.url, players, places, SECONDS].map(String);
    const child = spawnPlayers(args);
    const lines = linesOf(child.stdout);
    if ((await lines.next()).value !== "playing") throw new Error("the players did not begin");
    const [began, cpu] = [performance.now(), cpuSecondsOf(server.pid)];
    const seen = JSON.parse((await lines.next()).value ?? "") as SeenByPlayers;
    const seconds = (performance.now() - began) / 1000;
    const rssBytes = rssBytesOf(server.pid);
    const used = (cpuSecondsOf(server.pid) - cpu) / seconds;
    await child.exited;
    const { userTime = 0, systemTime = 0 } = cpuTimesOf(child);
    const mine = cpuSecondsOf(server.pid) - own + userTime + systemTime;
    const others = Math.max(0, cpuSecondsOfAll() - all - mine) / ((performance.now() - came) / 1000);
    if (seen.lost > 0) throw new Error(`${seen.lost} packets are missing over TCP`);
    return { cpu: used / players, memoryBytes: (rssBytes - before) / players, rssBytes, seen, others };
  } finally {
    await server.close();
  }
}

/** Readers that stop at their first packet, each at its own place of the film: what they hold while they are waited for. */
async function stalledReaders(library: FilmLibrary): Promise<Figure> {
  const server = await startKinora(library);
  try {
    const before = rssBytesOf(server.pid);
    const args = [server.url, STALLED, STALLED, STALLED_SECONDS, "stall"].map(String);
    const child = spawnPlayers(args);
    let peak = before;
    const watch = setInterval(() => {
      peak = Math.max(peak, rssBytesOf(server.pid));
    }, 50);
    const lines = linesOf(child.stdout);
    if ((await lines.next()).value !== "playing") throw new Error("the players did not begin");
    await Bun.sleep(STALLED_SECONDS * 900);
    const during = rssBytesOf(server.pid);
    await child.exited;
    clearInterval(watch);
    const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
    const what = `RTSP over TCP, ${STALLED} readers that stalled at ${STALLED} places`;
    return figure(
      `${what}: RSS before, at most, after ${STALLED_SECONDS} s`,
      [before, peak, during].map(mib).join(", "),
    );
  } finally {
    await server.close();
  }
}

/** CPU seconds of a child that has ended. */
function cpuTimesOf(child: ReturnType<typeof spawnPlayers>) {
  const { user = 0, system = 0 } = child.resourceUsage()?.cpuTime ?? {};
  return { userTime: Number(user) / 1e6, systemTime: Number(system) / 1e6 };
}

const spawnPlayers = (args: readonly string[]) =>
  Bun.spawn([process.execPath, join(import.meta.dir, "support", "rtsp-players.ts"), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });

/** The lines a child prints, as they come. */
async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    const lines = (text + decoder.decode(bytes, { stream: true })).split("\n");
    text = lines.pop() ?? "";
    yield* lines;
  }
}

/** The film in a library, with a data folder that one Kinora after the other has: the film is hashed once. */
class FilmLibrary implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "kinora-bench-library-"));
  readonly films = join(this.#folder, "films");
  readonly data = join(this.#folder, "data");

  constructor(film: string) {
    mkdirSync(this.films);
    linkSync(film, join(this.films, "film.mp4"));
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function startKinora({ films, data }: FilmLibrary): Promise<Server> {
  const server = await startKinoraProcess([films], data);
  const user = await signIn(server);
  const titleId = await untilListed(user);
  await untilHashed(user, titleId);
  const link = await user.post("/api/links", { titleId });
  const { rtspUrl } = (await link.json()) as { rtspUrl: string };
  return { url: rtspUrl, pid: server.pid, close: () => server.close() };
}

/** Until the film's content is known: reading all of it takes a core for a while, which is not the players'. */
async function untilHashed(user: TestUser, titleId: string): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const { mediaId } = (await (await user.get(`/api/titles/${titleId}`)).json()) as { mediaId: string | null };
    if (mediaId !== null) return;
    if (performance.now() > deadline) throw new Error("the film is not hashed");
    await Bun.sleep(50);
  }
}

async function startGstreamer(film: string): Promise<Server> {
  const script = join(import.meta.dir, "support", "gst-rtsp-server.py");
  const child = Bun.spawn(["/usr/bin/python3", script, film], { stdio: ["ignore", "pipe", "inherit"] });
  const port = (await linesOf(child.stdout).next()).value;
  return {
    url: `rtsp://127.0.0.1:${port}/film`,
    pid: child.pid,
    async close() {
      child.kill();
      await child.exited;
    },
  };
}
