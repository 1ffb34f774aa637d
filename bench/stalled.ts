import { linkSync, mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { untilListed } from "./serving.ts";
import { fullHdMinute } from "./support/media.ts";
import { against, type Figure, figure } from "./support/report.ts";
import { type BenchServer, signIn, startKinoraProcess } from "./support/servers.ts";

const VIEWERS = 1_000;
const SETTLE_MS = 4_000;

/** Memory while a thousand viewers have asked for much and read nothing, and after they have gone. */
export async function benchStalled(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "kinora-bench-library-"));
  linkSync(await fullHdMinute(), join(folder, "film.mp4"));
  const kinora = await startKinoraProcess([folder]);
  try {
    const user = await signIn(kinora);
    const id = await untilListed(user);
    const segment = await firstVideoSegment(user, id);
    // One round first, so that what a thousand connections cost once is not counted as never given back.
    await stall(kinora, user.cookie, segment);
    return [
      ...figures("original", 16, await stall(kinora, user.cookie, `/stream/${id}/original`)),
      ...figures("JIT segment", 160, await stall(kinora, user.cookie, segment)),
    ];
  } finally {
    await kinora.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function figures(what: string, budgetKib: number, { before, during, after }: Memory): Figure[] {
  const each = (during - before) / VIEWERS / 1024;
  const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
  return [
    against(`memory for each of ${VIEWERS} stalled viewers, ${what}`, each, "KiB", { atMost: budgetKib }),
    figure(`RSS before, during, after, ${what}`, `${mib(before)}, ${mib(during)}, ${mib(after)}`),
  ];
}

interface Memory {
  readonly before: number;
  readonly during: number;
  readonly after: number;
}

async function stall(server: BenchServer, cookie: string, path: string): Promise<Memory> {
  const before = server.rssBytes();
  const sockets = await Promise.all(Array.from({ length: VIEWERS }, () => stalledViewer(server.url, path, cookie)));
  await Bun.sleep(SETTLE_MS);
  const during = server.rssBytes();
  for (const socket of sockets) socket.destroy();
  await Bun.sleep(SETTLE_MS);
  return { before, during, after: server.rssBytes() };
}

/** Sends a request and never reads. */
function stalledViewer(url: string, path: string, cookie: string): Promise<Socket> {
  const { hostname, port, host } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ host: hostname, port: Number(port) }, () => {
    socket.pause();
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\n\r\n`, () => resolve(socket));
  });
  socket.on("error", reject);
  return promise;
}

export async function firstVideoSegment(user: { get(path: string): Promise<Response> }, id: string): Promise<string> {
  const base = `/stream/${id}/hls/`;
  const master = await (await user.get(`${base}master.m3u8`)).text();
  const playlist = master.split("\n").find((line) => line.endsWith(".m3u8") && !line.startsWith("#")) ?? "";
  const media = await (await user.get(base + playlist)).text();
  const segment = media.split("\n").find((line) => line.endsWith(".m4s")) ?? "";
  return base + playlist.slice(0, playlist.lastIndexOf("/") + 1) + segment;
}
