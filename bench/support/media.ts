import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dir, "..", "..", ".cache", "bench");

async function make(name: string, command: (target: string) => string[]): Promise<string> {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const partial = join(folder, `partial-${name}`);
  const code = await Bun.spawn(command(partial), { stdio: ["ignore", "ignore", "inherit"] }).exited;
  if (code !== 0) throw new Error(`${name} could not be made`);
  renameSync(partial, path);
  return path;
}

/** 60 s of 1080p at 6 Mbit/s with sound, a key frame every 2 s. */
export function fullHdMinute(): Promise<string> {
  const picture = "testsrc2=size=1920x1080:rate=25:duration=60,noise=alls=12:allf=t";
  return make("1080p-60s.mp4", (target) => [
    ...["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", picture],
    ...["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=60"],
    ...["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50", "-bf", "2"],
    ...["-b:v", "6M", "-maxrate", "6M", "-bufsize", "6M", "-nal-hrd", "cbr", "-c:a", "aac", "-b:a", "128k", target],
  ]);
}

/** Two hours and about 5 GB: the minute, 120 times. */
export async function twoHours(): Promise<string> {
  const minute = await fullHdMinute();
  return make("1080p-2h.mp4", (target) => [
    ...["ffmpeg", "-v", "error", "-y", "-stream_loop", "119", "-i", minute, "-c", "copy", target],
  ]);
}

/** The same in Matroska, with cues. */
export async function twoHoursMatroska(): Promise<string> {
  const film = await twoHours();
  return make("1080p-2h.mkv", (target) => ["ffmpeg", "-v", "error", "-y", "-i", film, "-c", "copy", target]);
}

/** Twenty minutes in Matroska without cues, as a live recording is. */
export async function liveMatroska(): Promise<string> {
  const film = await twentyMinutes();
  const options = ["-c", "copy", "-live", "1"];
  return make("1080p-20min-live.mkv", (target) => ["ffmpeg", "-v", "error", "-y", "-i", film, ...options, target]);
}

/** The same as a transport stream, about 1 GB. */
export async function transportStream(): Promise<string> {
  const film = await twentyMinutes();
  return make("1080p-20min.ts", (target) => ["ffmpeg", "-v", "error", "-y", "-i", film, "-c", "copy", target]);
}

/** Pictures and sound of a byte each, so many that the index is as large as any that is taken. */
export function manySamples(): Promise<string> {
  const script = join(import.meta.dir, "many-samples.ts");
  return make("many-samples.mp4", (target) => [process.execPath, script, target]);
}

/** Twenty minutes and about 0.9 GB: the minute, 20 times. */
export async function twentyMinutes(): Promise<string> {
  const minute = await fullHdMinute();
  return make("1080p-20min.mp4", (target) => [
    ...["ffmpeg", "-v", "error", "-y", "-stream_loop", "19", "-i", minute, "-c", "copy", target],
  ]);
}
