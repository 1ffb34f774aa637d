import { MediaError } from "../errors.ts";
import type { TextTrack } from "../movie.ts";
import type { SampleTable } from "../sample-table.ts";
import { readTx3gEntry } from "../text/tx3g.ts";
import type { PlacedTrack } from "../timeline.ts";
import type { Box } from "./box.ts";
import { type Edit, readEdit } from "./edits.ts";
import { readMediaFields, readTrackFields, refuseExternalMedia, tagOfLanguage, trackName } from "./track-box.ts";

const maxEntries = 64;
const maxEntryBytes = 64 * 1024;
/** Samples and their bytes in one text track: a long film has 5,000 in 500 KB. */
const maxSamples = 200_000;
const maxTextBytes = 16 * 2 ** 20;
const maxChapterTracks = 64;

/** A text track as `trak` describes it, without its samples. */
export interface TextHeader {
  readonly kind: "text";
  readonly id: number;
  readonly codec: "tx3g" | "wvtt";
  readonly timescale: number;
  readonly language: string | null;
  readonly name: string | null;
  /** Whether all of it is to be shown even to those who want no subtitles. */
  readonly forced: boolean;
  readonly edit: Edit;
  /** Whole sample entry boxes. */
  readonly entries: readonly Uint8Array[];
  readonly stbl: Box;
}

/** The subtitles in `moov`. Chapters are none, and damaged text is no reason to refuse the picture: it is left out. */
export function readTextHeaders(moov: Box, movieTimescale: number): TextHeader[] {
  const traks = moov.children().filter((box) => box.type === "trak");
  const chapters = new Set(traks.flatMap(chapterTracks));
  const headers = traks.map((trak) => {
    try {
      return readTextHeader(trak, movieTimescale);
    } catch (error) {
      return nullIfDamaged(error);
    }
  });
  return headers.filter((header) => header !== null && !chapters.has(header.id)) as TextHeader[];
}

/** Whether samples are no more than any subtitles have. */
export function areFewEnough(samples: SampleTable): boolean {
  if (samples.count > maxSamples) return false;
  let bytes = 0;
  for (let i = 0; i < samples.count; i++) bytes += samples.sizeOf(i);
  return bytes <= maxTextBytes;
}

/** The track of a header whose samples are placed. */
export function textTrackOf(header: TextHeader, placed: Omit<PlacedTrack, "kind">): TextTrack {
  const { id, codec, timescale, language, name, forced, edit, entries } = header;
  const { samples, mediaTime, delay, firstSample, endSample } = placed;
  // Writers switch the first track on out of habit, so that says nothing about what people want to see.
  const told = { language, name, forced, isDefault: false, forHearingImpaired: false };
  const times = { timescale, samples, mediaTime, delay, firstSample, endSample, editsIgnored: edit.ignored };
  return { id, codec, sampleEntries: entries, ...told, ...times };
}

/** What comes of reading; null where the file is damaged. */
export function unlessDamaged<T>(reading: Promise<T>): Promise<T | null> {
  return reading.catch(nullIfDamaged);
}

function nullIfDamaged(error: unknown): null {
  if (error instanceof MediaError) return null;
  throw error;
}

/** Tracks that a `chap` reference names (QuickTime File Format, "Chapter Lists"). */
function chapterTracks(trak: Box): number[] {
  const chap = trak.child("tref", { lenient: true })?.child("chap", { lenient: true });
  if (!chap) return [];
  return Array.from({ length: Math.min(maxChapterTracks, Math.floor(chap.size / 4)) }, (_, i) => chap.u32(i * 4));
}

function readTextHeader(trak: Box, movieTimescale: number): TextHeader | null {
  const mdia = trak.required("mdia");
  if (!["text", "sbtl", "subt"].includes(mdia.required("hdlr").fourCc(8))) return null;
  const minf = mdia.required("minf");
  const stbl = minf.required("stbl");
  const entries = stbl.required("stsd").children({ at: 8, lenient: true });
  const codec = entries[0]?.type;
  if (codec !== "tx3g" && codec !== "wvtt") return null;
  if (entries.length > maxEntries || entries.some((entry) => entry.type !== codec || entry.size > maxEntryBytes)) {
    return null;
  }
  refuseExternalMedia(
    minf,
    entries.map((entry) => ({ dataReferenceIndex: entry.u16(6) })),
  );
  const { timescale, language } = readMediaFields(mdia.required("mdhd"));
  const bytes = entries.map((entry) => entry.bytes.slice());
  return {
    kind: "text",
    id: readTrackFields(trak.required("tkhd")).id,
    codec,
    timescale,
    language: tagOfLanguage(mdia, language),
    name: trackName(trak),
    forced: codec === "tx3g" && bytes.every((entry) => readTx3gEntry(entry).forced),
    edit: readEdit(trak.child("edts"), movieTimescale, timescale),
    entries: bytes,
    stbl,
  };
}
