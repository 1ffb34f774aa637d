import type { ByteSource } from "../byte-source.ts";
import { MediaError } from "../errors.ts";
import type { Container } from "../movie.ts";
import {
  childOf,
  childrenOf,
  type Element,
  type ElementPlace,
  float,
  readElement,
  readPlace,
  string,
  unsigned,
} from "./ebml.ts";
import { ids } from "./ids.ts";

/** Elements at the top of a segment before its first cluster. */
const maxTopElements = 1000;
const maxSegments = 100;
const maxHeaderBytes = 4096;
/** `Info`, `Tracks` and `Cues`; fonts and pictures are in `Attachments`, which is skipped. */
const maxElementBytes = 16 * 2 ** 20;
const defaultTimestampScale = 1_000_000;
/** No clock ticks more slowly than once a second. */
const maxTimestampScale = 1e9;

/** What stands in a segment beside its clusters. */
export interface Segment {
  readonly container: Container;
  readonly place: ElementPlace;
  /** Where its bytes end, in this file. */
  readonly end: number;
  /** Nanoseconds of a tick. */
  readonly timestampScale: number;
  /** Seconds as `Info` tells them; 0 when it does not. */
  readonly durationSeconds: number;
  readonly tracks: Element | null;
  readonly cues: Element | null;
  readonly firstCluster: ElementPlace | null;
}

/** Reads the headers of a Matroska or WebM file (RFC 9559). Throws a `MediaError` like `openMedia`. */
export async function readSegment(source: ByteSource): Promise<Segment> {
  const { container, place } = await findSegment(source);
  const { found, firstCluster } = await readHeaders(source, place);
  const info = found.get(ids.info) ?? null;
  const told = info === null ? 0 : unsigned(childOf(info, ids.timestampScale), 0);
  const timestampScale = told > 0 && told <= maxTimestampScale ? told : defaultTimestampScale;
  const ticks = info === null ? 0 : float(childOf(info, ids.duration), 0);
  return {
    container,
    place,
    end: Math.min(source.size, place.contentOffset + (place.size ?? source.size)),
    timestampScale,
    durationSeconds: Math.max(0, ticks * timestampScale) / 1e9,
    tracks: found.get(ids.tracks) ?? null,
    cues: found.get(ids.cues) ?? null,
    firstCluster,
  };
}

/** Finds the segment; fails as `truncated` when the file ends before it does. */
async function findSegment(source: ByteSource): Promise<{ container: Container; place: ElementPlace }> {
  const header = await readPlace(source, 0);
  if (header?.id !== ids.ebml) damaged("EBML", 0, "an EBML header", header?.id ?? "none");
  const ebml = await readElement(source, header, maxHeaderBytes, "EBML");
  const container = string(childOf(ebml, ids.docType)) === "webm" ? "webm" : "matroska";
  let offset = ebml.offset + ebml.content.length;
  for (let i = 0; i < maxSegments; i++) {
    const place = await readPlace(source, offset);
    if (place === null || place.size === null || place.id === ids.segment) {
      if (place?.id !== ids.segment) damaged("Segment", offset, "a segment", place?.id ?? "end of file");
      refuseTruncated(source, place);
      return { container, place };
    }
    offset = place.contentOffset + place.size;
  }
  return damaged("Segment", offset, "a segment", "other elements");
}

function damaged(box: string, offset: number, expected: string, got: string | number): never {
  throw new MediaError("not-a-video", "The video is damaged: its headers cannot be read", {
    box,
    offset,
    expected,
    got,
  });
}

function refuseTruncated(source: ByteSource, { offset, contentOffset, size }: ElementPlace): void {
  if (size === null || contentOffset + size <= source.size) return;
  throw new MediaError("truncated", "The file ends early", {
    box: "Segment",
    offset,
    expected: `${contentOffset + size} bytes`,
    got: source.size,
  });
}

const headerElements = new Map<number, string>([
  [ids.seekHead, "Segment/SeekHead"],
  [ids.info, "Segment/Info"],
  [ids.tracks, "Segment/Tracks"],
  [ids.cues, "Segment/Cues"],
]);

/** The headers stand before the first cluster, or where `SeekHead` says. */
async function readHeaders(
  source: ByteSource,
  segment: ElementPlace,
): Promise<{ found: ReadonlyMap<number, Element>; firstCluster: ElementPlace | null }> {
  const found = new Map<number, Element>();
  let firstCluster: ElementPlace | null = null;
  let offset = segment.contentOffset;
  for (let i = 0; i < maxTopElements; i++) {
    const place = await readPlace(source, offset);
    if (place === null) break;
    if (place.id === ids.cluster) {
      firstCluster = place;
      break;
    }
    if (headerElements.has(place.id) && !found.has(place.id)) await take(source, place, found);
    if (place.size === null) break;
    offset = place.contentOffset + place.size;
  }
  await followSeekHead(source, segment, found);
  return { found, firstCluster };
}

async function take(source: ByteSource, place: ElementPlace, found: Map<number, Element>): Promise<void> {
  // Without cues the file is read whole, so they are no reason to refuse it.
  const end = place.contentOffset + (place.size ?? Number.POSITIVE_INFINITY);
  if (place.id === ids.cues && end > Math.min(source.size, place.contentOffset + maxElementBytes)) return;
  found.set(place.id, await readElement(source, place, maxElementBytes, headerElements.get(place.id) ?? ""));
}

/** Reads what `SeekHead` points to; it may point to a second one that stands at the end. */
async function followSeekHead(source: ByteSource, segment: ElementPlace, found: Map<number, Element>): Promise<void> {
  const first = found.get(ids.seekHead);
  if (first === undefined) return;
  const seekHeads = [first];
  const second = await placeOf(source, segment, first, ids.seekHead);
  if (second !== null) seekHeads.push(await readElement(source, second, maxElementBytes, "Segment/SeekHead"));
  for (const seekHead of seekHeads) {
    for (const id of headerElements.keys()) {
      const place = found.has(id) ? null : await placeOf(source, segment, seekHead, id);
      if (place !== null) await take(source, place, found);
    }
  }
}

/** The element of this id that `SeekHead` points to, when it is there. */
async function placeOf(
  source: ByteSource,
  segment: ElementPlace,
  seekHead: Element,
  wanted: number,
): Promise<ElementPlace | null> {
  for (const seek of childrenOf(seekHead)) {
    if (seek.id !== ids.seek || unsigned(childOf(seek, ids.seekId), 0) !== wanted) continue;
    const position = unsigned(childOf(seek, ids.seekPosition), -1);
    const place = position < 0 ? null : await readPlace(source, segment.contentOffset + position);
    return place?.id === wanted ? place : null;
  }
  return null;
}
