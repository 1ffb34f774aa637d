import type { Cue } from "./cue.ts";
import { subRipCueText } from "./cue-text.ts";
import { readTimedText } from "./timed-text.ts";

/** `{\an8}`, perhaps among others: SubStation Alpha's places, counted as on a number pad. */
const place = /\{[^{}]*\\an([1-9])/;
const topRow = 7;
const middleRow = 4;

/** The cues of a SubRip file, in order of their start. What is no cue is passed over. */
export function readSubRip(file: string): Cue[] {
  return readTimedText(file, { endsAtEmptyLine: false }).flatMap(({ startMs, endMs, text }) => {
    return subRipCue(startMs, endMs, text) ?? [];
  });
}

/** A cue of a SubRip text; null when nothing of it would be shown. */
export function subRipCue(startMs: number, endMs: number, text: string): Cue | null {
  const cueText = subRipCueText(text);
  return cueText === "" || endMs <= startMs ? null : { startMs, endMs, text: cueText, settings: settingsOf(text) };
}

/** Where a cue is shown, by the override `{\an8}` in its text. */
export function settingsOf(text: string): string {
  const key = Number(place.exec(text)?.[1] ?? 1);
  return key >= topRow ? "line:0" : key >= middleRow ? "line:50%" : "";
}
