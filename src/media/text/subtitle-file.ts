import type { Cue } from "./cue.ts";
import { decodeText } from "./decode-text.ts";
import { readSubRip } from "./subrip.ts";
import { readWebVtt } from "./webvtt.ts";

/** The cues of a subtitle file. What starts like WebVTT is read as such, whatever its name says. */
export function readSubtitleFile(bytes: Uint8Array): Cue[] {
  const text = decodeText(bytes);
  return /^\ufeff?WEBVTT(?:\s|$)/.test(text) ? readWebVtt(text) : readSubRip(text);
}
