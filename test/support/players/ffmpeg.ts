import { join } from "node:path";
import { fixture } from "../fixtures.ts";
import { temporaryFolder } from "../folder.ts";
import { run } from "../packets.ts";
import { type Complaints, type Ran, runProgram, type Task, unexplained } from "./player.ts";

/** A frame's length and a little: what rounding may add. */
const tolerance = 0.15;

/** Version 5 reads no subtitles in HLS. */
const explainedLines = [/Can't support the subtitle/];

interface Decoded {
  readonly pictures: number;
  readonly firstSeconds: number;
  readonly lastSeconds: number;
}

/** ffmpeg's demuxers and decoders, from the start to the end and from each seek to the end. */
export async function playWithFfmpeg(task: Task, headers: Readonly<Record<string, string>> = {}): Promise<Complaints> {
  const complaints: string[] = [];
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const given = lines.length === 0 ? [] : ["-headers", lines.join("")];
  const canSeek = task.protocol === "dash" || (await canSeekInFragmentedHls());
  for (const from of [null, ...task.seeks]) {
    const seek = from === null ? [] : ["-ss", String(from)];
    const place = canSeek ? [...seek, "-i", task.url] : ["-i", task.url, ...seek];
    const input = [...given, ...place, "-map", "0:v:0", "-map", "0:a:0?"];
    const ran = await runProgram(["ffmpeg", "-nostdin", "-v", "warning", ...input, "-f", "framecrc", "-"]);
    const at = from === null ? "from the start" : `from ${from} s`;
    complaints.push(...judge(ran, task, from ?? 0).map((text) => `${at}: ${text}`));
  }
  return complaints;
}

let seeksInHls: Promise<boolean> | null = null;

/**
 * Up to version 7 ffmpeg cannot seek in HLS of fragmented MP4, its own included: it reads the segments it goes to where
 * those it came from lay. There it is only told to throw away what lies before the place.
 */
function canSeekInFragmentedHls(): Promise<boolean> {
  seeksInHls ??= (async () => {
    using folder = temporaryFolder();
    const playlist = join(folder.path, "own.m3u8");
    const hls = ["-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4"];
    await run(["ffmpeg", "-v", "error", "-i", await fixture("h264-only.mp4"), "-c", "copy", ...hls, playlist]);
    const seek = ["ffmpeg", "-nostdin", "-v", "warning", "-ss", "3.3", "-i", playlist, "-f", "null", "-"];
    return (await runProgram(seek)).errors === "";
  })();
  return seeksInHls;
}

function judge(ran: Ran, { original, explained }: Task, from: number): string[] {
  const expectedSeconds = original.durationSeconds - from;
  const lateSeconds = Math.max(0, -(original.soundAfterPictureSeconds ?? 0) - from);
  const complaints = unexplained(ran.errors, [...explainedLines, ...explained]);
  if (ran.code !== 0) complaints.push(`ended with code ${ran.code}`);
  const { pictures, firstSeconds, lastSeconds } = decoded(ran.out);
  if (pictures === 0) complaints.push("no picture");
  if (firstSeconds > lateSeconds + tolerance) complaints.push(`the first picture came at ${firstSeconds} s`);
  if (lastSeconds < expectedSeconds - tolerance)
    complaints.push(`ended after ${lastSeconds} s of ${expectedSeconds} s`);
  return complaints;
}

/** Reads `framecrc`: `#tb 0: 1/25`, then `stream, dts, pts, duration, size, crc`. The end is that of any stream. */
function decoded(text: string): Decoded {
  const ticks = new Map<string, number>();
  let [pictures, firstSeconds, lastSeconds] = [0, Number.POSITIVE_INFINITY, 0];
  for (const line of text.split("\n")) {
    const base = /^#tb (\d+): (\d+)\/(\d+)/.exec(line);
    if (base) ticks.set(base[1] ?? "", Number(base[2]) / Number(base[3]));
    if (line.startsWith("#") || line === "") continue;
    const [stream = "", , pts, duration] = line.split(",").map((field) => field.trim());
    const seconds = ticks.get(stream) ?? Number.NaN;
    lastSeconds = Math.max(lastSeconds, (Number(pts) + Number(duration)) * seconds);
    if (stream !== "0") continue;
    pictures++;
    firstSeconds = Math.min(firstSeconds, Number(pts) * seconds);
  }
  return { pictures, firstSeconds, lastSeconds };
}
