import { exerciseFile, exerciseIndexFile, exerciseSubtitles } from "./exercise.ts";
import { exerciseRtsp } from "./exercise-rtsp.ts";
import { boxes, elements, type Format, lines, packets } from "./structure.ts";

/** A reader under test: which files it is fed with, how they are taken apart, and what is done with them. */
export interface Target {
  readonly extensions: readonly string[];
  readonly format: Format;
  /** Rejects for anything but what the reader's contract allows. */
  readonly exercise: (bytes: Uint8Array) => Promise<void>;
}

export const targets = {
  mp4: { extensions: ["mp4", "mov", "m4a"], format: boxes, exercise: exerciseFile },
  matroska: { extensions: ["mkv", "webm"], format: elements, exercise: exerciseFile },
  mpegts: { extensions: ["mpegts", "ts", "m2ts"], format: packets, exercise: exerciseFile },
  subtitles: { extensions: ["srt", "vtt"], format: lines, exercise: exerciseSubtitles },
  rtsp: { extensions: ["rtsp"], format: lines, exercise: exerciseRtsp },
  index: { extensions: ["index"], format: lines, exercise: exerciseIndexFile },
} as const satisfies Record<string, Target>;

export type TargetName = keyof typeof targets;
export const targetNames = Object.keys(targets) as TargetName[];

/** The target for files of this name, or null. */
export function targetOf(fileName: string): TargetName | null {
  const extension = fileName.slice(fileName.lastIndexOf(".") + 1);
  return targetNames.find((name) => (targets[name].extensions as readonly string[]).includes(extension)) ?? null;
}
