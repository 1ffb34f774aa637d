import { join } from "node:path";
import { type Complaints, runProgram, type Task, unexplained } from "./player.ts";

/** The two implementations of adaptive streaming in GStreamer 1.22. */
export type GstreamerStack = "adaptivedemux2" | "adaptivedemux";

const stacks = {
  adaptivedemux2: { element: "playbin3", ranks: "hlsdemux:NONE,dashdemux:NONE" },
  adaptivedemux: { element: "playbin", ranks: "hlsdemux2:NONE,dashdemux2:NONE,hlsdemux:PRIMARY,dashdemux:PRIMARY" },
} as const;

/** Elements whose warnings tell of the stream; the others speak of sinks, themes and plug-ins. */
const heard =
  /\b(qtdemux|hls\w*|dash\w*|mpd\w*|adaptivedemux\w*|\w+parse|videodecoder|audiodecoder|libav|codec\w*|CRITICAL)\b/;

/** Warnings that say nothing of the stream, and why. */
const explained = [
  /unknown QuickTime node type/, // Its table of names lacks elng, vp09 and others that it goes on to read.
  /Bitrate for fragment not available/, // HLS has EXT-X-BITRATE for it, which is optional.
  /Could not synchronize media playlists/, // Tells so of every playlist with a single segment.
  /Unknown codec .* please file a bug|Unhandled MPEG-4 Audio Object Type|gst_caps_\w+: assertion/, // Opus, fLaC, mp4v and MP3 are not in its table.
  /Clamping segment and buffer position to 0/, // The picture's first time is its 0; here is sound from before.
  /Block size is not constant/, // The last packet of FLAC is shorter.
  /buffer doesn't have any pts or dts, using segment position/, // The headers of FLAC.
  /Did not find transfer .* in the active transfer list/, // A download that a seek made superfluous.
];

/** What overlooking edit lists costs: the reordering of some pictures. */
const toleranceSeconds = 0.25;
const syncToleranceSeconds = 0.03;

interface Span {
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

interface Report {
  readonly complaints: readonly string[];
  readonly duration?: number;
  readonly seeks: readonly { readonly to: number; readonly video: Span | null; readonly audio: Span | null }[];
  readonly played?: { readonly video: Span | null; readonly audio: Span | null };
  readonly longestStep?: number;
}

/** GStreamer, from the start to the end, and after the seeks from the last one to the end. */
export async function playWithGstreamer(task: Task, stack: GstreamerStack): Promise<Complaints> {
  const whole = await play(task, stack, []);
  const sought = await play(task, stack, task.seeks);
  const longest = task.original.longestStepSeconds + 0.002;
  return [
    ...whole.complaints,
    ...judgeEnd(whole, task, 0),
    ...judgeSync(whole, task),
    ...((whole.played?.video?.count ?? 0) === task.original.pictures
      ? []
      : [`${whole.played?.video?.count} pictures of ${task.original.pictures}`]),
    ...((whole.longestStep ?? 0) <= longest ? [] : [`a gap of ${whole.longestStep} s between pictures`]),
    ...sought.complaints.map((text) => `after seeks: ${text}`),
    ...sought.seeks.flatMap(judgeSeek),
    ...judgeEnd(sought, task, task.seeks.at(-1) ?? 0),
  ];
}

/**
 * Now and then it ends itself after a seek, for it has a second download under way where it takes for granted that there is
 * none: whatever a server sends, that is between two threads of its own.
 */
const itsOwnAssertion = /gstadaptivedemux-stream\.c:\d+:on_download_complete: assertion failed/;

/**
 * GStreamer 1.22's adaptivedemux2 fails on any HLS whose one rendition is read to its end before the thread that puts
 * out has made its pads: `gst_adaptive_demux2_stream_end_of_manifest` takes «not exposed yet» for an error. That is a
 * race within it, on presentations of a single segment; about one start in twenty loses it on a busy machine.
 */
const lostTheRace = (report: Report) =>
  report.complaints.some((line) => line.includes("Can't push EOS on non-exposed pad") || itsOwnAssertion.test(line));

const startsAtMost = 6;

async function play(task: Task, stack: GstreamerStack, seeks: readonly number[]): Promise<Report> {
  let report = await playOnce(task, stack, seeks);
  for (let starts = 1; starts < startsAtMost && lostTheRace(report); starts++)
    report = await playOnce(task, stack, seeks);
  return report;
}

async function playOnce(task: Task, stack: GstreamerStack, seeks: readonly number[]): Promise<Report> {
  const { element, ranks } = stacks[stack];
  const command = ["/usr/bin/python3", join(import.meta.dir, "gstreamer.py"), element, task.url, ...seeks.map(String)];
  const env = { GST_DEBUG: "2", GST_DEBUG_NO_COLOR: "1", GST_PLUGIN_FEATURE_RANK: ranks };
  const ran = await runProgram(command, env);
  const warnings = unexplained(ran.errors, [...explained, ...task.explained]).filter((line) => heard.test(line));
  if (ran.code !== 0) return { complaints: [...warnings, `ended with code ${ran.code}: ${ran.errors}`], seeks: [] };
  const report = JSON.parse(ran.out) as Report;
  return { ...report, complaints: [...report.complaints, ...warnings] };
}

function judgeEnd({ played, duration = 0 }: Report, { original }: Task, from: number): string[] {
  const complaints: string[] = [];
  if (Math.abs(duration - original.durationSeconds) > toleranceSeconds) complaints.push(`says it lasts ${duration} s`);
  const end = Math.max(played?.video?.last ?? 0, played?.audio?.last ?? 0);
  if (end < original.durationSeconds - toleranceSeconds) complaints.push(`ended at ${end} s`);
  const late = Math.max(from, -(original.soundAfterPictureSeconds ?? 0));
  if (Math.abs((played?.video?.first ?? 0) - late) > toleranceSeconds)
    complaints.push(`began at ${played?.video?.first} s`);
  return complaints;
}

function judgeSync({ played }: Report, { original }: Task): string[] {
  if (original.soundAfterPictureSeconds === null) return [];
  const after = (played?.audio?.first ?? Number.NaN) - (played?.video?.first ?? Number.NaN);
  const off = after - original.soundAfterPictureSeconds;
  return Math.abs(off) <= syncToleranceSeconds ? [] : [`the sound is ${off} s late`];
}

function judgeSeek({ to, video, audio }: Report["seeks"][number]): string[] {
  return [video, audio].flatMap((span) =>
    span === null || Math.abs(span.first - to) <= toleranceSeconds ? [] : [`a seek to ${to} s led to ${span.first} s`],
  );
}
