import { Box } from "../mp4/box.ts";
import type { Cue } from "./cue.ts";
import { webVttCue } from "./webvtt.ts";

/** The cues in a `wvtt` sample (ISO/IEC 14496-30 section 7.4): a `vttc` for each, none where nothing is shown. */
export function wvttCues(startMs: number, endMs: number, sample: Uint8Array): Cue[] {
  const boxes = new Box("wvtt", sample, 0).children({ lenient: true });
  return boxes.flatMap((box) => {
    if (box.type !== "vttc") return [];
    return webVttCue(startMs, endMs, contentOf(box, "payl"), contentOf(box, "sttg")) ?? [];
  });
}

function contentOf(vttc: Box, type: string): string {
  const box = vttc.child(type, { lenient: true });
  return box === null ? "" : new TextDecoder().decode(box.content);
}
