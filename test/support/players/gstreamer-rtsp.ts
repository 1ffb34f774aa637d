import { join } from "node:path";
import { type Complaints, runProgram } from "./player.ts";

interface Span {
  readonly count: number;
  readonly first: number | null;
  readonly last: number | null;
}

type Spans = Readonly<Record<"video" | "audio", Span>>;

interface Report {
  readonly complaints: readonly string[];
  readonly whole: Spans;
  readonly whilePaused: number;
  readonly resumed: { readonly pausedAt: number | null; readonly first: number | null };
  readonly sought: Spans;
}

export interface RtspTask {
  readonly url: string;
  readonly transport: "tcp" | "udp";
  readonly pictures: number;
  /** Where to seek, and the key frame at or before it. */
  readonly seek: { readonly to: number; readonly keyFrame: number };
  readonly picturesAfterSeek: number;
  /** When the last picture is shown. */
  readonly lastPicture: number;
}

/** Its jitter buffer moves times by what came early at the start. */
const toleranceSeconds = 0.25;

const endToleranceSeconds = 0.4;

const isNear = (a: number | null, b: number | null, tolerance = toleranceSeconds) =>
  a !== null && b !== null && Math.abs(a - b) <= tolerance;

/**
 * Of the pictures, how many may be missing or twice. Over UDP rtspsrc of GStreamer 1.22 is not exact when it is held up,
 * with every server: after a seek it takes what its socket still has from before for the beginning, and it ends by its own
 * clock rather than by BYE.
 */
const inexact = { tcp: 0, udp: 0.2 };

/** GStreamer's rtspsrc in playbin: whole, paused and resumed, and after a seek. */
export async function playRtspWithGstreamer(task: RtspTask): Promise<Complaints> {
  const { url, transport, seek } = task;
  const script = join(import.meta.dir, "gstreamer-rtsp.py");
  const ran = await runProgram(["/usr/bin/python3", script, url, transport, String(seek.to)]);
  if (ran.code !== 0) return [`ended with code ${ran.code}: ${ran.errors}`];
  const { complaints, whole, whilePaused, resumed, sought } = JSON.parse(ran.out) as Report;
  const found = [...complaints];
  const isAll = (count: number, wanted: number) => Math.abs(count - wanted) <= wanted * inexact[transport];
  if (!isAll(whole.video.count, task.pictures)) found.push(`${whole.video.count} pictures of ${task.pictures}`);
  if (!isNear(whole.video.first, 0)) found.push(`began at ${whole.video.first} s`);
  if (whilePaused > 0) found.push(`${whilePaused} pictures came while it was paused`);
  if (!isNear(resumed.first, resumed.pausedAt)) found.push(`went on at ${resumed.first} s from ${resumed.pausedAt} s`);
  if (!isNear(sought.video.first, seek.keyFrame)) found.push(`the seek led to ${sought.video.first} s`);
  if (!isAll(sought.video.count, task.picturesAfterSeek)) {
    found.push(`${sought.video.count} pictures after the seek, not ${task.picturesAfterSeek}`);
  }
  for (const kind of ["video", "audio"] as const) {
    const { last } = sought[kind];
    if (!isNear(last, task.lastPicture, endToleranceSeconds)) found.push(`after the seek ${kind} ended at ${last} s`);
  }
  return found;
}
