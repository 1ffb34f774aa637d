import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dir, "..", "..", ".cache", "fixtures");

const picture = (seconds: number, size = "640x360", rate = 25) => [
  ...["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`],
];
const tone = (seconds: number) => ["-f", "lavfi", "-i", `sine=frequency=440:sample_rate=48000:duration=${seconds}`];
const h264 = (gop: number) => ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", String(gop)];
const aac = ["-c:a", "aac", "-b:a", "96k"];

/** How each fixture is made: ffmpeg arguments without the output file. Small, real, the same every time. */
const recipes = {
  /** 10 s, H.264 with B-frames and AAC, moov last, a key frame every 2 s. */
  "h264-aac.mp4": [...picture(10), ...tone(10), ...h264(50), ...aac],
  /** The same streams in another file of other content: other colours, moov first. */
  "h264-aac-faststart.mp4": [
    ...picture(10),
    ...tone(10),
    "-vf",
    "hue=h=90",
    ...h264(50),
    ...aac,
    "-movflags",
    "+faststart",
  ],
  /** 60 s, for seeks. */
  "h264-aac-60s.mp4": [...picture(60), ...tone(60), ...h264(50), ...aac],
  /** No sound. */
  "h264-only.mp4": [...picture(5), ...h264(25)],
  /** Sound only: no video. */
  "aac-only.m4a": [...tone(5), ...aac],
  "vp9-opus.webm": [
    ...picture(4, "320x180"),
    ...tone(4),
    "-c:v",
    "libvpx-vp9",
    "-deadline",
    "realtime",
    "-cpu-used",
    "8",
    "-c:a",
    "libopus",
  ],
  "h264-aac.mkv": [...picture(5), ...tone(5), ...h264(50), ...aac],
  "h264-aac.ts": [...picture(5), ...tone(5), ...h264(50), ...aac, "-f", "mpegts"],
  /** What Chromium cannot decode. */
  "h265-aac.mp4": [
    ...picture(4, "320x180"),
    ...tone(4),
    "-c:v",
    "libx265",
    "-preset",
    "ultrafast",
    "-x265-params",
    "log-level=error",
    "-tag:v",
    "hvc1",
    ...aac,
  ],
} as const satisfies Record<string, readonly string[]>;

export type FixtureName = keyof typeof recipes;

/** The path of a fixture, made with ffmpeg the first time it is asked for. */
export async function fixture(name: FixtureName): Promise<string> {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const extension = name.slice(name.lastIndexOf("."));
  const partial = join(folder, `${process.pid}-${Bun.randomUUIDv7()}${extension}`);
  const ffmpeg = Bun.spawn(
    ["ffmpeg", "-v", "error", "-y", ...recipes[name], "-fflags", "+bitexact", "-flags", "+bitexact", partial],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const message = await new Response(ffmpeg.stderr).text();
  if ((await ffmpeg.exited) !== 0) throw new Error(`ffmpeg could not make ${name}: ${message}`);
  renameSync(partial, path);
  return path;
}
