import type { ByteSource } from "../byte-source.ts";
import { renditionNeed } from "../decodability.ts";
import { MediaError } from "../errors.ts";
import type { Container, MediaDescription } from "../movie.ts";
import { firstFrameRate, lastTimestamp } from "./clusters.ts";
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
import { type MatroskaTrack, readTracks } from "./tracks.ts";

/** Elements at the top of a segment before its first cluster. */
const maxTopElements = 1000;
const maxSegments = 100;
const maxHeaderBytes = 4096;
/** `Info` and `Tracks`; fonts and pictures are in `Attachments`, which is skipped. */
const maxElementBytes = 16 * 2 ** 20;
const defaultTimestampScale = 1_000_000;
const nanoseconds = 1e9;

interface Headers {
  readonly info: Element | null;
  readonly tracks: Element | null;
  readonly firstCluster: ElementPlace | null;
}

/** Describes a Matroska or WebM file (RFC 9559). Throws a `MediaError` like `openMedia`. */
export async function describeMatroska(source: ByteSource): Promise<MediaDescription> {
  const { container, segment } = await openSegment(source);
  const { info, tracks, firstCluster } = await readHeaders(source, segment);
  const found = tracks === null ? [] : readTracks(tracks);
  const video = found.find(({ kind }) => kind === "video");
  const audio = found.filter(({ kind }) => kind === "audio");
  if (video === undefined) refuseWithoutVideo(segment, found);
  const scale = (info && unsigned(childOf(info, ids.timestampScale), 0)) || defaultTimestampScale;
  const secondsPerTick = scale / nanoseconds;
  const told = info === null ? 0 : float(childOf(info, ids.duration), 0) * secondsPerTick;
  const seconds = told > 0 ? told : (await lastTimestamp(source, firstCluster)) * secondsPerTick;
  const frameRate = video.frameRate || (await firstFrameRate(source, firstCluster, video.number)) / secondsPerTick;
  return {
    durationSeconds: Number.isFinite(seconds) && seconds > 0 ? seconds : 0,
    container,
    video: {
      codec: video.codec,
      width: video.width,
      height: video.height,
      frameRate: Math.round(frameRate * 1000) / 1000,
      rotation: video.rotation,
    },
    audio: audio.map(({ codec, channels, sampleRate, language }) => ({ codec, channels, sampleRate, language })),
    needsRendition: renditionNeed(
      video,
      audio.map(({ codec }) => codec),
    ),
  };
}

function refuseWithoutVideo(segment: ElementPlace, found: readonly MatroskaTrack[]): never {
  throw new MediaError("not-a-video", found.length > 0 ? "The file has sound only" : "The file has no video track", {
    box: "Segment/Tracks",
    offset: segment.offset,
    expected: "a video track",
    got: found.map(({ kind }) => kind).join(" ") || "none",
  });
}

/** Finds the segment; fails as `truncated` when the file ends before it does. */
async function openSegment(source: ByteSource): Promise<{ container: Container; segment: ElementPlace }> {
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
      return { container, segment: place };
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

/** `Info` and `Tracks` stand before the first cluster, or where `SeekHead` says. */
async function readHeaders(source: ByteSource, segment: ElementPlace): Promise<Headers> {
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
    if (headerElements.has(place.id) && !found.has(place.id)) {
      found.set(place.id, await readElement(source, place, maxElementBytes, headerElements.get(place.id) ?? ""));
    }
    if (place.size === null) break;
    offset = place.contentOffset + place.size;
  }
  const seekHead = found.get(ids.seekHead);
  if (seekHead !== undefined) await followSeekHead(source, segment, seekHead, found);
  return { info: found.get(ids.info) ?? null, tracks: found.get(ids.tracks) ?? null, firstCluster };
}

const headerElements = new Map<number, string>([
  [ids.seekHead, "Segment/SeekHead"],
  [ids.info, "Segment/Info"],
  [ids.tracks, "Segment/Tracks"],
]);

async function followSeekHead(
  source: ByteSource,
  segment: ElementPlace,
  seekHead: Element,
  found: Map<number, Element>,
): Promise<void> {
  for (const id of [ids.info, ids.tracks]) {
    if (found.has(id)) continue;
    const position = seekPosition(seekHead, id);
    const place = position === null ? null : await readPlace(source, segment.contentOffset + position);
    if (place?.id === id) {
      found.set(id, await readElement(source, place, maxElementBytes, headerElements.get(id) ?? ""));
    }
  }
}

function seekPosition(seekHead: Element, wanted: number): number | null {
  for (const seek of childrenOf(seekHead)) {
    if (seek.id !== ids.seek || unsigned(childOf(seek, ids.seekId), 0) !== wanted) continue;
    const position = unsigned(childOf(seek, ids.seekPosition), -1);
    return position < 0 ? null : position;
  }
  return null;
}
