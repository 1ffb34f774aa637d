import type { LeftOutTrack, TextTrackInfo } from "../movie.ts";
import { cleanName, languageTag } from "../mp4/track-box.ts";
import { childOf, childrenOf, type Element, string, unsigned } from "./ebml.ts";
import { ids } from "./ids.ts";
import { type Compression, readCompression } from "./tracks.ts";
import type { BlockTrack } from "./walk.ts";

const subtitleType = 17;
const maxTexts = 64;
const maxTrackNumber = 2 ** 31 - 2;

export type BlockTextCodec = "subrip" | "webvtt" | "webm-webvtt" | "ass";

/** Codec ids (IETF `matroska-codec`, and WebM's own), the longer before the shorter. */
const codecs: readonly (readonly [prefix: string, codec: BlockTextCodec])[] = [
  ["S_TEXT/UTF8", "subrip"],
  ["S_TEXT/ASCII", "subrip"],
  ["S_TEXT/WEBVTT", "webvtt"],
  ["S_TEXT/ASS", "ass"],
  ["S_TEXT/SSA", "ass"],
  ["S_ASS", "ass"],
  ["S_SSA", "ass"],
  ["D_WEBVTT/SUBTITLES", "webm-webvtt"],
  ["D_WEBVTT/CAPTIONS", "webm-webvtt"],
];
/** Those whose cues are pictures. */
const pictures = ["S_VOBSUB", "S_HDMV/PGS", "S_DVBSUB", "S_IMAGE"];

/** Subtitles as `TrackEntry` describes them. */
export interface MatroskaText extends TextTrackInfo {
  readonly codec: BlockTextCodec;
  readonly compression: Compression;
}

/** The subtitles of `Tracks`, and those that cannot be sent. */
export function readTexts(tracks: Element): { texts: MatroskaText[]; leftOut: LeftOutTrack[] } {
  const entries = [...childrenOf(tracks)].filter(({ id }) => id === ids.trackEntry);
  const numbers = entries.map(numberOf);
  const texts: MatroskaText[] = [];
  const leftOut: LeftOutTrack[] = [];
  for (const [i, entry] of entries.entries()) {
    if (unsigned(childOf(entry, ids.trackType), 0) !== subtitleType) continue;
    const number = numbers[i] ?? 0;
    const isOwn = number >= 1 && number <= maxTrackNumber && numbers.indexOf(number) === numbers.lastIndexOf(number);
    const read = isOwn ? readText(entry, number) : { id: number, codec: "text", reason: "its number is not its own" };
    if ("reason" in read) leftOut.push(read);
    else if (texts.length < maxTexts) texts.push(read);
  }
  return { texts, leftOut: leftOut.slice(0, maxTexts) };
}

const numberOf = (entry: Element) => unsigned(childOf(entry, ids.trackNumber), 0);

function readText(entry: Element, id: number): MatroskaText | LeftOutTrack {
  const codecId = string(childOf(entry, ids.codecId)) ?? "";
  const codec = codecs.find(([prefix]) => codecId.startsWith(prefix))?.[1];
  if (codec === undefined) return { id, codec: nameOf(codecId), reason: reasonFor(codecId) };
  const compression = readCompression(entry);
  if (compression === null) return { id, codec, reason: "it is compressed or encrypted in a way that is not read" };
  const language = string(childOf(entry, ids.languageBcp47)) ?? string(childOf(entry, ids.language)) ?? "eng";
  return {
    id,
    codec,
    compression,
    language: languageTag(language),
    name: cleanName(string(childOf(entry, ids.name)) ?? ""),
    forced: unsigned(childOf(entry, ids.flagForced), 0) === 1,
    // Every track that says nothing is "default" in Matroska, so that tells nothing about what people want to see.
    isDefault: false,
    forHearingImpaired: unsigned(childOf(entry, ids.flagHearingImpaired), 0) === 1,
  };
}

const reasonFor = (codecId: string) =>
  pictures.some((prefix) => codecId.startsWith(prefix))
    ? "its subtitles are pictures"
    : "subtitles of this kind are not read";

const nameOf = (codecId: string) =>
  codecId
    .toLowerCase()
    .replace(/^s_/, "")
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 40) || "unknown";

/** How the blocks of subtitles are taken in. */
export const textBlocksOf = ({ id }: MatroskaText, timestampScale: number): BlockTrack => ({
  number: id,
  frameTicks: 0,
  timestampScale,
  isText: true,
});
