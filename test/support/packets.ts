import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ByteSource } from "../../src/media/byte-source.ts";
import { initSegment } from "../../src/media/cmaf/init-segment.ts";
import { dashManifest } from "../../src/media/dash/dash-manifest.ts";
import { hlsMediaPlaylist, hlsMultivariantPlaylist } from "../../src/media/hls/hls-playlist.ts";
import type { Movie } from "../../src/media/movie.ts";
import { MoviePresentation } from "../../src/media/movie-presentation.ts";
import type { Presentation } from "../../src/media/presentation.ts";
import type { SegmentPlan } from "../../src/media/segment-plan.ts";
import { fixtureFolder } from "./fixtures.ts";

/** One packet as ffprobe reads it. Times in ticks of the stream's time base, `NaN` where it tells none. */
export interface Packet {
  readonly stream: number;
  readonly pts: number;
  readonly dts: number;
  readonly duration: number;
  readonly seconds: number;
  readonly isKey: boolean;
  readonly isDiscarded: boolean;
  readonly hash: string;
}

/** The bytes of a file, whole in memory. */
export async function fileSource(path: string): Promise<ByteSource> {
  return bytesSource(await Bun.file(path).bytes());
}

export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    async read(offset, length) {
      if (offset < 0 || offset + length > bytes.length) throw new RangeError(`read past the end: ${offset}+${length}`);
      return bytes.slice(offset, offset + length);
    },
  };
}

/** The index of every sample; fails for what is indexed otherwise. */
export function movieOf(presentation: Presentation | null): Movie {
  if (presentation instanceof MoviePresentation) return presentation.movie;
  throw new Error(`${presentation?.kind ?? "nothing"} is no index of every sample`);
}

/** What a plan sends. */
export async function planBytes(source: ByteSource, plan: SegmentPlan): Promise<Uint8Array> {
  const parts = await Promise.all(
    plan.ranges.map(async (part) => {
      if ("bytes" in part) return part.bytes;
      const bytes = await source.read(part.offset, part.length);
      return "decode" in part ? part.decode(bytes) : bytes;
    }),
  );
  const bytes = Buffer.concat([plan.header, ...parts]);
  if (bytes.length !== plan.sizeBytes) throw new Error(`the plan says ${plan.sizeBytes} bytes, it has ${bytes.length}`);
  return bytes;
}

/** Writes everything that HLS serves into a temporary folder, which `use` gets. */
export function withHlsFolder<T>(
  source: ByteSource,
  presentation: Presentation,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  return withFolder(async (folder) => {
    await writeHls(source, presentation, folder);
    return use(folder);
  });
}

/** The same for DASH, under the paths that the server has for it; `use` gets the path of the manifest. */
export function withDashFolder<T>(
  source: ByteSource,
  presentation: Presentation,
  use: (manifest: string) => Promise<T>,
): Promise<T> {
  return withFolder(async (folder) => {
    await writeHls(source, presentation, join(folder, "hls"));
    const manifest = join(folder, "dash", "manifest.mpd");
    await Bun.write(manifest, dashManifest(presentation));
    return use(manifest);
  });
}

async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "kinora-stream-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeHls(source: ByteSource, presentation: Presentation, folder: string): Promise<void> {
  await Bun.write(join(folder, "master.m3u8"), hlsMultivariantPlaylist(presentation));
  for (const { id } of presentation.tracks) {
    const track = join(folder, String(id));
    await mkdir(track);
    await Bun.write(join(track, "playlist.m3u8"), hlsMediaPlaylist(presentation, id));
    await Bun.write(join(track, "init.mp4"), initSegment(presentation, id));
    for (let n = 1; ; n++) {
      const plan = await presentation.plan(source, id, n);
      if (plan === null) break;
      await Bun.write(join(track, `${n}.m4s`), await planBytes(source, plan));
    }
  }
}

/** The init segment and all segments of a track in one file, in the order of the playlist. */
export async function joinSegments(folder: string): Promise<string> {
  const playlist = await Bun.file(join(folder, "playlist.m3u8")).text();
  const names = ["init.mp4", ...playlist.split("\n").filter((line) => line.endsWith(".m4s"))];
  const parts = await Promise.all(names.map((name) => Bun.file(join(folder, name)).bytes()));
  const path = join(folder, "whole.mp4");
  await Bun.write(path, Buffer.concat(parts));
  return path;
}

/** Runs a program; fails with what it wrote to the standard error when it fails or warns. */
export async function run(command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], { stdio: ["ignore", "pipe", "pipe"] });
  const [out, errors, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0 || errors !== "") throw new Error(`${command.join(" ")} (${code}): ${errors}`);
  return out;
}

interface ProbedPacket {
  readonly stream_index: number;
  readonly pts?: number;
  readonly dts?: number;
  readonly duration?: number;
  readonly pts_time?: string;
  readonly flags: string;
  readonly data_hash: string;
}

/** What ffprobe tells of the packets of a file or playlist. Of fixtures it is kept: they are asked about again and again. */
async function probe(path: string, options: readonly string[]): Promise<string> {
  const ask = () =>
    run(["ffprobe", "-v", "error", ...options, "-show_packets", "-show_data_hash", "md5", "-of", "json=c=1", path]);
  if (!path.startsWith(fixtureFolder)) return ask();
  const kept = `${path}.${Bun.hash(options.join("\0")).toString(36)}.packets`;
  if (await Bun.file(kept).exists()) return Bun.file(kept).text();
  const text = await ask();
  const partial = `${kept}-${Bun.randomUUIDv7()}`;
  await Bun.write(partial, text);
  await rename(partial, kept);
  return text;
}

/** All packets of a file or playlist, as ffprobe reads them. */
export async function packetsOf(path: string, ...options: string[]): Promise<Packet[]> {
  const { packets } = JSON.parse(await probe(path, options)) as { packets: readonly ProbedPacket[] };
  return packets.map((packet) => ({
    stream: packet.stream_index,
    pts: packet.pts ?? Number.NaN,
    dts: packet.dts ?? Number.NaN,
    duration: packet.duration ?? Number.NaN,
    seconds: Number(packet.pts_time),
    isKey: packet.flags.includes("K"),
    isDiscarded: packet.flags.includes("D"),
    hash: packet.data_hash,
  }));
}

/**
 * What was streamed of a track without what fills the time before a late start: packets of silence, all the same, and
 * the first picture's being shown from 0 on.
 */
export function withoutLead(streamed: readonly Packet[], original: readonly Packet[]): Packet[] {
  const silent = Math.max(0, streamed.length - original.length);
  if (new Set(streamed.slice(0, silent).map(({ hash }) => hash)).size > 1)
    throw new Error("there are packets too many");
  const [first, next, ...rest] = streamed.slice(silent);
  const [was, then] = original;
  if (!first || !next || !was || !then) return streamed.slice(silent);
  const moved = (key: "pts" | "dts" | "seconds") => {
    const before = next[key] - (then[key] - was[key]);
    return streamed[0]?.seconds === 0 ? Math.max(first[key], before) : first[key];
  };
  return [{ ...first, pts: moved("pts"), dts: moved("dts"), seconds: moved("seconds") }, next, ...rest];
}

/** Without the first packet of the picture, which is shown earlier where sound begins before it. */
export function withoutFirstPicture(packets: readonly Packet[]): Packet[] {
  const first = packets.find(({ stream }) => stream === 0);
  return packets.filter((packet) => packet !== first);
}
