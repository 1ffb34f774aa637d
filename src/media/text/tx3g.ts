import { Box } from "../mp4/box.ts";
import type { Cue } from "./cue.ts";
import { escapeCueText, tidyLines } from "./cue-text.ts";

/** `face-style-flags`, 3GPP TS 26.245 section 5.16. */
const faces = [
  { flag: 1, tag: "b" },
  { flag: 2, tag: "i" },
  { flag: 4, tag: "u" },
];
const allFaces = 7;
const maxStyles = 256;
const styleBytes = 12;
/** Of the sample entry: where `displayFlags` and the face of the default style are. */
const displayFlagsAt = 8;
const defaultFaceAt = 32;
/** "All samples are forced", QuickTime File Format, "Subtitle Sample Data". */
const allForced = 0x8000_0000;

/** What a `tx3g` sample entry says of all samples. */
export interface Tx3gDefaults {
  readonly face: number;
  readonly forced: boolean;
}

/** Reads a whole `tx3g` box. */
export function readTx3gEntry(entry: Uint8Array): Tx3gDefaults {
  const box = new Box("tx3g", entry.subarray(8), 0);
  return {
    face: box.size > defaultFaceAt ? box.u8(defaultFaceAt) & allFaces : 0,
    forced: box.size >= displayFlagsAt + 4 && (box.u32(displayFlagsAt) & allForced) !== 0,
  };
}

/** The cue in a `tx3g` sample, styles as tags; null when it is empty, as between two subtitles, or damaged. */
export function tx3gCue(startMs: number, endMs: number, sample: Uint8Array, defaults: Tx3gDefaults): Cue | null {
  const length = sample.length < 2 ? 0 : ((sample[0] ?? 0) << 8) | (sample[1] ?? 0);
  if (length === 0 || endMs <= startMs || 2 + length > sample.length) return null;
  const characters = [...decodeSample(sample.subarray(2, 2 + length))];
  const styles = facesOf(new Box("text", sample.subarray(2 + length), 0), characters.length, defaults.face);
  const text = tidyLines(markUp(characters, styles));
  return text === "" ? null : { startMs, endMs, text, settings: "" };
}

/** UTF-8, or UTF-16 with a byte order mark. */
function decodeSample(bytes: Uint8Array): string {
  const isUtf16 = (bytes[0] === 0xfe && bytes[1] === 0xff) || (bytes[0] === 0xff && bytes[1] === 0xfe);
  return new TextDecoder(isUtf16 ? (bytes[0] === 0xfe ? "utf-16be" : "utf-16le") : "utf-8").decode(bytes);
}

/** The face of each character: of the style records, elsewhere the default. */
function facesOf(boxes: Box, count: number, face: number): Uint8Array {
  const found = new Uint8Array(count).fill(face);
  const styl = boxes.child("styl", { lenient: true });
  if (styl === null || styl.size < 2) return found;
  const records = Math.min(styl.u16(0), maxStyles, Math.floor((styl.size - 2) / styleBytes));
  for (let i = 0; i < records; i++) {
    const at = 2 + i * styleBytes;
    found.fill(styl.u8(at + 6) & allFaces, styl.u16(at), styl.u16(at + 2));
  }
  return found;
}

function markUp(characters: readonly string[], styles: Uint8Array): string {
  const closing = (face: number) =>
    tagsOf(face)
      .reverse()
      .map((tag) => `</${tag}>`)
      .join("");
  const opening = (face: number) =>
    tagsOf(face)
      .map((tag) => `<${tag}>`)
      .join("");
  let text = "";
  let open = 0;
  characters.forEach((character, i) => {
    const face = styles[i] ?? 0;
    if (face !== open) text += closing(open) + opening(face);
    open = face;
    text += escapeCueText(character);
  });
  return text + closing(open);
}

const tagsOf = (face: number) => faces.filter(({ flag }) => face & flag).map(({ tag }) => tag);
