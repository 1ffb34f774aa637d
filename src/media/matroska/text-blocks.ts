import { inflateSync } from "node:zlib";
import type { ByteSource } from "../byte-source.ts";
import { assCue } from "../text/ass.ts";
import type { Cue } from "../text/cue.ts";
import { subRipCue } from "../text/subrip.ts";
import { webVttCue } from "../text/webvtt.ts";
import { readBlockHeader } from "./block.ts";
import { childOf, childrenOf, readElementHeader, readPlace, unsigned } from "./ebml.ts";
import type { FrameList } from "./frames.ts";
import { ids } from "./ids.ts";
import type { BlockTextCodec, MatroskaText } from "./text-tracks.ts";

/** Cues of one track: somebody who talks without a pause has 10,000 in a long film. */
export const maxCues = 100_000;
/** A cue is a few hundred bytes; larger ones are passed over. */
const maxTextBytes = 64 * 1024;
/** Most blocks of text are in this much, headers included. */
const firstReadBytes = 1024;
const readsAtOnce = 16;
/** How long a cue is shown that does not tell, if no other follows. */
const untoldMs = 5000;
/** How long one may be shown whose duration is not known before it is read. */
const longestMs = 20_000;

/** A track of subtitles, and where its cues stand. */
export interface BlockText extends MatroskaText {
  readonly clock: TextClock;
  readonly places: TextPlaces;
}

/** Where the cues of a track stand, by their start. */
export interface TextPlaces {
  /** Milliseconds from 0, where the presentation starts. */
  readonly startMs: Float64Array;
  /** 0 where it is not known. */
  readonly endMs: Float64Array;
  /** Of the block, or of its cluster where `inClusters` is given. */
  readonly offsets: Float64Array;
  /** How far from the start of its cluster's content each block is. */
  readonly inClusters: Uint32Array | null;
}

/** A tick of the segment, and which of them second 0 is. */
export interface TextClock {
  readonly origin: number;
  readonly msPerTick: number;
}

/** The places that were found by reading clusters. */
export function placesOf({ times, durations, offsets, count }: FrameList, clock: TextClock): TextPlaces {
  const order = Array.from({ length: Math.min(count, maxCues) }, (_, i) => i);
  order.sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0));
  const startMs = Float64Array.from(order, (i) => msOf(times[i] ?? 0, clock));
  const endMs = Float64Array.from(order, (i) => {
    const duration = durations[i] ?? 0;
    return duration > 0 ? msOf((times[i] ?? 0) + duration, clock) : 0;
  });
  return { startMs, endMs, offsets: Float64Array.from(order, (i) => offsets[i] ?? 0), inClusters: null };
}

export const msOf = (time: number, { origin, msPerTick }: TextClock) => Math.round((time - origin) * msPerTick);

/** The cues of a track that are shown at some moment between two times; reads only their blocks. */
export async function cuesAt(
  source: ByteSource,
  { clock, places, ...text }: BlockText,
  fromMs: number,
  toMs: number,
): Promise<Cue[]> {
  const { startMs, endMs } = places;
  const wanted: number[] = [];
  startMs.forEach((start, i) => {
    if (start < toMs && (endMs[i] || start + longestMs) > fromMs) wanted.push(i);
  });
  const clusters = new Map<number, Promise<number>>();
  const cues: Cue[] = [];
  for (let i = 0; i < wanted.length; i += readsAtOnce) {
    const batch = wanted.slice(i, i + readsAtOnce);
    const read = await Promise.all(
      batch.map(async (index) => {
        const at = await placeAt(source, places, index, clusters);
        const block = await readTextBlock(source, text, at);
        return block && cueOf(text.codec, block, timesOf(places, index, block, clock));
      }),
    );
    cues.push(...read.filter((cue) => cue !== null));
  }
  return cues.filter((cue) => cue.startMs < toMs && cue.endMs > fromMs);
}

/** Where a block stands; a cluster's header is read once. */
async function placeAt(
  source: ByteSource,
  { offsets, inClusters }: TextPlaces,
  index: number,
  clusters: Map<number, Promise<number>>,
): Promise<number> {
  const offset = offsets[index] ?? 0;
  if (inClusters === null) return offset;
  const content = clusters.get(offset) ?? contentOf(source, offset);
  clusters.set(offset, content);
  return (await content) + (inClusters[index] ?? 0);
}

async function contentOf(source: ByteSource, cluster: number): Promise<number> {
  const place = await readPlace(source, cluster);
  return place?.id === ids.cluster ? place.contentOffset : Number.POSITIVE_INFINITY;
}

function timesOf(
  { startMs, endMs }: TextPlaces,
  index: number,
  { durationTicks }: TextBlock,
  { msPerTick }: TextClock,
): readonly [number, number] {
  const start = startMs[index] ?? 0;
  const next = startMs[index + 1] ?? Number.POSITIVE_INFINITY;
  const told = endMs[index] || (durationTicks > 0 ? start + Math.round(durationTicks * msPerTick) : 0);
  const end = told || Math.min(start + untoldMs, next > start ? next : Number.POSITIVE_INFINITY);
  return [Math.max(0, start), end];
}

/** A block of text, its compression undone. */
interface TextBlock {
  readonly text: string;
  /** `BlockAdditional`: settings and identifier of WebVTT. */
  readonly addition: string;
  /** 0 when it is not told. */
  readonly durationTicks: number;
}

/** Reads the group or simple block of a track at a place; null when there is none, or it is damaged. */
async function readTextBlock(source: ByteSource, text: MatroskaText, at: number): Promise<TextBlock | null> {
  if (!(at >= 0 && at < source.size)) return null;
  const first = await source.read(at, Math.min(firstReadBytes, source.size - at));
  const header = readElementHeader(first, 0);
  if (header === null || header.size === null || header.size > maxTextBytes) return null;
  const length = header.length + header.size;
  if (at + length > source.size) return null;
  const bytes = length <= first.length ? first : await source.read(at, length);
  const content = { content: bytes.subarray(header.length, length), offset: at + header.length };
  if (header.id === ids.simpleBlock) return blockOf(text, content.content, { addition: "", durationTicks: 0 });
  const block = header.id === ids.blockGroup ? childOf(content, ids.block) : null;
  if (block === null) return null;
  const addition = [...childrenOf(childOf(content, ids.blockAdditions) ?? { content: new Uint8Array(0), offset: 0 })]
    .map((more) => childOf(more, ids.blockAdditional))
    .find((one) => one !== null);
  return blockOf(text, block.content, {
    addition: new TextDecoder().decode(addition?.content),
    durationTicks: unsigned(childOf(content, ids.blockDuration), 0),
  });
}

function blockOf(text: MatroskaText, content: Uint8Array, rest: Omit<TextBlock, "text">): TextBlock | null {
  const header = readBlockHeader(content, 0, content.length);
  if (header === null || header.track !== text.id) return null;
  const bytes = decompressed(text, content.subarray(header.length, header.length + (header.sizes[0] ?? 0)));
  return bytes && { ...rest, text: new TextDecoder().decode(bytes).replace(/\0+$/, "") };
}

function decompressed({ compression }: MatroskaText, bytes: Uint8Array): Uint8Array | null {
  const { prefix, isDeflated } = compression;
  if (!isDeflated) return prefix.length === 0 ? bytes : Buffer.concat([prefix, bytes]);
  try {
    return inflateSync(bytes, { maxOutputLength: maxTextBytes });
  } catch {
    return null;
  }
}

const cueMakers: Readonly<
  Record<BlockTextCodec, (startMs: number, endMs: number, text: string, addition: string) => Cue | null>
> = {
  subrip: subRipCue,
  ass: assCue,
  // `BlockAdditional` has the settings, then the identifier (IETF `matroska-codec`, "S_TEXT/WEBVTT").
  webvtt: (startMs, endMs, text, addition) => webVttCue(startMs, endMs, text, addition.split("\n", 1)[0] ?? ""),
  // The block has identifier and settings, each on a line, before the text.
  "webm-webvtt"(startMs, endMs, text) {
    const [, settings = "", ...lines] = text.split("\n");
    return webVttCue(startMs, endMs, lines.join("\n"), settings);
  },
};

const cueOf = (codec: BlockTextCodec, { text, addition }: TextBlock, [startMs, endMs]: readonly [number, number]) =>
  cueMakers[codec](startMs, endMs, text, addition);
