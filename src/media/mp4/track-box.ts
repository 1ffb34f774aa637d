import { MediaError } from "../errors.ts";
import type { Box } from "./box.ts";
import { type Edit, readEdit } from "./edits.ts";
import { readSampleEntries, type SampleEntry } from "./sample-entry.ts";

const maxNameLength = 200;
/** Ticks a second; the finest clocks in use count nanoseconds. */
const maxTimescale = 1e9;
/** What is looked at of a name or language. */
const maxTextBytes = 1024;

/** A sound or video track as `trak` describes it, without its samples. */
export interface TrackHeader {
  readonly id: number;
  readonly kind: "video" | "audio";
  readonly enabled: boolean;
  readonly timescale: number;
  readonly language: string | null;
  readonly name: string | null;
  readonly matrix: readonly number[];
  readonly rotation: number;
  readonly edit: Edit;
  readonly entries: readonly SampleEntry[];
  readonly stbl: Box;
}

/** Reads `trak`; null when it is neither sound nor video (text, timecode, hints). */
export function readTrackHeader(trak: Box, movieTimescale: number): TrackHeader | null {
  const mdia = trak.required("mdia");
  const kind = kindOf(mdia.required("hdlr"));
  if (kind === null) return null;
  const tkhd = readTrackFields(trak.required("tkhd"));
  const mdhd = readMediaFields(mdia.required("mdhd"));
  const minf = mdia.required("minf");
  const stbl = minf.required("stbl");
  const entries = readSampleEntries(stbl.required("stsd"), kind);
  refuseExternalMedia(minf, entries);
  return {
    ...tkhd,
    kind,
    timescale: mdhd.timescale,
    language: tagOfLanguage(mdia, mdhd.language),
    name: trackName(trak),
    edit: readEdit(trak.child("edts"), movieTimescale, mdhd.timescale),
    entries,
    stbl,
  };
}

/** The language of a track as a tag: of `elng`, which can say more than `mdhd`. */
export function tagOfLanguage(mdia: Box, language: string): string | null {
  const elng = mdia.child("elng");
  return (elng && languageTag(text(elng.content.subarray(4, maxTextBytes)))) ?? languageTag(language);
}

function kindOf(hdlr: Box): "video" | "audio" | null {
  const type = hdlr.fourCc(8);
  return type === "vide" ? "video" : type === "soun" ? "audio" : null;
}

/** Number, matrix and flags of `tkhd`. */
export function readTrackFields(tkhd: Box) {
  const large = tkhd.version === 1;
  const id = tkhd.u32(large ? 20 : 12);
  if (id === 0) tkhd.fail("the track has no number", { expected: "1 or more", got: id });
  const at = large ? 52 : 40;
  tkhd.need(at, 36);
  const matrix = Array.from({ length: 9 }, (_, i) => tkhd.i32(at + i * 4));
  return { id, enabled: (tkhd.flags & 1) === 1, matrix, rotation: rotationOf(matrix) };
}

/** Clockwise degrees of a transformation matrix, to the nearest quarter turn. */
function rotationOf(matrix: readonly number[]): number {
  const [a = 0, b = 0] = matrix;
  const quarters = Math.round((Math.atan2(b, a) * 2) / Math.PI);
  return ((quarters + 4) % 4) * 90;
}

/** Clock and language of `mdhd`. */
export function readMediaFields(mdhd: Box): { timescale: number; language: string } {
  const large = mdhd.version === 1;
  const timescale = readTimescale(mdhd, large ? 20 : 12);
  const packed = mdhd.u16(large ? 32 : 20);
  // Three letters of five bits; QuickTime has numbers of languages there, all below 0x400.
  const letters = [packed >> 10, packed >> 5, packed].map((value) => String.fromCharCode((value & 31) + 0x60));
  return { timescale, language: packed < 0x400 ? (quickTimeLanguages[packed] ?? "und") : letters.join("") };
}

/** Ticks a second. */
export function readTimescale(header: Box, at: number): number {
  const timescale = header.u32(at);
  if (timescale < 1 || timescale > maxTimescale) {
    header.fail("the timescale is impossible", { expected: `1 to ${maxTimescale}`, got: timescale });
  }
  return timescale;
}

/** Macintosh language codes from 0 (QuickTime File Format, "Language Code Values"). */
const quickTimeLanguages =
  "en fr de it nl sv es da pt nb he ja ar fi el is mt tr hr zh-Hant ur hi th ko lt pl hu et lv se fo fa ru zh-Hans".split(
    " ",
  );

/** Codes of ISO 639-2/B, which Matroska has, where those of 639-2/T and so BCP 47 differ. */
const bibliographic: Readonly<Record<string, string>> = {
  ...{ alb: "sq", arm: "hy", baq: "eu", bur: "my", chi: "zh", cze: "cs", dut: "nl", fre: "fr", geo: "ka", ger: "de" },
  ...{ gre: "el", ice: "is", mac: "mk", mao: "mi", may: "ms", per: "fa", rum: "ro", slo: "sk", tib: "bo", wel: "cy" },
};

/** The shortest BCP 47 tag of a language, null when it is undetermined or none. */
export function languageTag(language: string): string | null {
  if (!/^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$/.test(language)) return null;
  try {
    const code = bibliographic[language.toLowerCase()] ?? language;
    const tag = Intl.getCanonicalLocales(code)[0] ?? null;
    return tag === null || tag.startsWith("und") ? null : tag;
  } catch {
    return null;
  }
}

/** What the track's author called it. */
export function trackName(trak: Box): string | null {
  const name = trak.child("udta", { lenient: true })?.child("name", { lenient: true });
  return name ? cleanName(text(name.content.subarray(0, maxTextBytes))) : null;
}

/** A name fit to be shown and to stand in a playlist; null when nothing is left of it. */
export function cleanName(name: string): string | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must go
  const clean = name.replaceAll(/[\u0000-\u001f\u007f-\u009f"\ufffd]/g, "").trim();
  return clean.slice(0, maxNameLength) || null;
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).replace(/\0.*$/s, "");

/** Media in other files is never followed: the name in the file would choose what the server reads. */
export function refuseExternalMedia(minf: Box, entries: readonly Pick<SampleEntry, "dataReferenceIndex">[]): void {
  const dref = minf.child("dinf")?.child("dref");
  if (!dref) return;
  const references = dref.children({ at: 8, lenient: true });
  for (const { dataReferenceIndex } of entries) {
    const reference = references[dataReferenceIndex - 1];
    // Some writers forget the flag "in this file" but name no other file either.
    if (reference === undefined || reference.size <= 4 || reference.flags & 1) continue;
    throw new MediaError("unsupported", "The video's bytes are in another file", {
      box: reference.path,
      offset: reference.offset,
      expected: "media in this file",
      got: "a reference",
    });
  }
}
