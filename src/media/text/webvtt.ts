import type { Cue } from "./cue.ts";
import { safeCueText } from "./cue-text.ts";
import { readTimedText } from "./timed-text.ts";

/** What each cue setting may be (WebVTT section 4.4); regions and styles of the original are not kept. */
const settingForms = [
  /^vertical:(?:rl|lr)$/,
  /^line:-?\d{1,4}(?:\.\d{1,6})?%?(?:,(?:start|center|end))?$/,
  /^position:\d{1,3}(?:\.\d{1,6})?%(?:,(?:line-left|center|line-right))?$/,
  /^size:\d{1,3}(?:\.\d{1,6})?%$/,
  /^align:(?:start|center|end|left|right)$/,
];

/** Where the clock of cues stands on the clock of segments (RFC 8216 section 3.5): both start at 0, edits applied. */
const timestampMap = "X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n";

/** A WebVTT file of these cues; `inHls` for a segment of a playlist. */
export function writeWebVtt(cues: readonly Cue[], { inHls = false }: { inHls?: boolean } = {}): string {
  const blocks = cues.map(({ startMs, endMs, text, settings }) => {
    const times = `${formatTime(startMs)} --> ${formatTime(endMs)}`;
    return `\n${settings === "" ? times : `${times} ${settings}`}\n${text}\n`;
  });
  return `WEBVTT\n${inHls ? timestampMap : ""}${blocks.join("")}`;
}

function formatTime(ms: number): string {
  const pad = (value: number, digits: number) => String(Math.floor(value)).padStart(digits, "0");
  return `${pad(ms / 3_600_000, 2)}:${pad((ms / 60_000) % 60, 2)}:${pad((ms / 1000) % 60, 2)}.${pad(ms % 1000, 3)}`;
}

/** The cues of a WebVTT file, in order of their start. What is no cue is passed over. */
export function readWebVtt(file: string): Cue[] {
  return readTimedText(file, { endsAtEmptyLine: true }).flatMap(({ startMs, endMs, rest, text }) => {
    return webVttCue(startMs, endMs, text, rest) ?? [];
  });
}

/** A cue of WebVTT cue text and settings as another file has them; null when nothing of it would be shown. */
export function webVttCue(startMs: number, endMs: number, text: string, settings: string): Cue | null {
  const safe = safeCueText(text);
  return safe === "" || endMs <= startMs ? null : { startMs, endMs, text: safe, settings: safeSettings(settings) };
}

function safeSettings(settings: string): string {
  const known = settings.split(/\s+/).filter((setting) => settingForms.some((form) => form.test(setting)));
  return known.join(" ");
}
