import type { ByteSource } from "../media/byte-source.ts";
import type { Presentation } from "../media/presentation.ts";
import { keyPiecesOf, keySampleAt, piecesOf, rtpTimeOf } from "../media/rtp/packetise.ts";
import type { RtpTrack } from "../media/rtp/rtp-tracks.ts";
import type { SampleRange } from "../media/sample-range.ts";
import type { GroupPlace } from "./group-cache.ts";
import type { RtpOriginal } from "./rtp-stream.ts";

/** Times of segments are rounded: this much later counts as the same. */
const slackSeconds = 1e-4;
/** Segments without a key frame that are gone back over. */
const maxSegmentsBack = 8;

/** Where a track starts. */
export interface StartPlace extends GroupPlace {
  /** Packets presented earlier are not sent; minus infinity at the very beginning, where decoders need all. */
  readonly fromRtpTime: number;
}

export interface VideoStart extends StartPlace {
  /** When the key frame is presented. */
  readonly seconds: number;
}

/** The segment of a track that is presented at a time; from 1. */
function segmentAt(presentation: Presentation, trackId: number, seconds: number): number {
  const times = presentation.segmentTimes(trackId);
  let [low, high] = [0, Math.max(0, times.length - 2)];
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((times[middle] ?? 0) <= seconds + slackSeconds) low = middle;
    else high = middle - 1;
  }
  return low + 1;
}

/** The key frame at or before a time. Throws as the original's `read`, or a `MediaError`. */
export function findVideoStart(
  original: RtpOriginal,
  track: RtpTrack,
  seconds: number,
  keysOnly: boolean,
): Promise<VideoStart> {
  return original.read(async (source) => {
    const { segment, range, sample: key } = await findKey(original, source, track, seconds);
    if (range === null) return { segment, piece: 0, keysOnly, fromRtpTime: Number.NEGATIVE_INFINITY, seconds: 0 };
    const pieces = keysOnly ? keyPiecesOf(range) : piecesOf(range);
    const piece = Math.max(
      0,
      pieces.findLastIndex(({ from }) => from <= key),
    );
    // Of key frames close to each other only some are sent.
    const sample = keysOnly ? (pieces[piece]?.from ?? key) : key;
    const rtpTime = rtpTimeOf(range.track, sample, track.clockRate);
    const isFirst = segment === 1 && sample === range.from;
    return {
      ...{ segment, piece, keysOnly },
      fromRtpTime: isFirst ? Number.NEGATIVE_INFINITY : rtpTime,
      seconds: Math.max(0, rtpTime / track.clockRate),
    };
  });
}

interface FoundKey {
  readonly segment: number;
  readonly range: SampleRange | null;
  readonly sample: number;
}

async function findKey(
  { presentation }: RtpOriginal,
  source: ByteSource,
  { trackId }: RtpTrack,
  seconds: number,
): Promise<FoundKey> {
  const wanted = segmentAt(presentation, trackId, seconds);
  let first: FoundKey | null = null;
  for (let segment = wanted; segment > Math.max(0, wanted - maxSegmentsBack); segment--) {
    const range = await presentation.segmentSamples(source, trackId, segment);
    const sample = range && keySampleAt(range, seconds + slackSeconds);
    if (range === null || sample === null) continue;
    const found = { segment, range, sample };
    if (range.track.samples.isSync(sample)) return found;
    first ??= found;
  }
  return first ?? { segment: wanted, range: null, sample: 0 };
}

/** Where sound starts that is heard from a time on. */
export function audioStart(original: RtpOriginal, track: RtpTrack, seconds: number, isBeginning: boolean): StartPlace {
  return {
    segment: isBeginning ? 1 : segmentAt(original.presentation, track.trackId, seconds),
    ...{ piece: 0, keysOnly: false },
    fromRtpTime: isBeginning ? Number.NEGATIVE_INFINITY : Math.floor(seconds * track.clockRate),
  };
}
