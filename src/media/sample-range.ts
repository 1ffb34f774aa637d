import { type Buffers, freshBuffers } from "./buffers.ts";
import type { ByteSource } from "./byte-source.ts";
import { layOutFragment } from "./cmaf/fragment.ts";
import { MediaError } from "./errors.ts";
import type { Track } from "./movie.ts";
import { type PlanPart, partBytes } from "./segment-plan.ts";

/** Samples `from` up to `to` of a track, of which only the samples in between need to be there. */
export interface SampleRange {
  readonly track: Track;
  readonly from: number;
  readonly to: number;
}

/** The bytes of samples as an MP4 file has them: NAL units after lengths, sound without ADTS headers. */
export interface SampleBytes {
  readonly bytes: Uint8Array;
  /** Where each sample starts; their sizes are those of the track's table. */
  readonly starts: Float64Array;
}

/** Ranges of the original no farther apart than this are read in one piece: a read costs more than the bytes. */
const maxGapBytes = 64 * 1024;
/** Most bytes of one such piece. */
const maxReadBytes = 1024 * 1024;

/**
 * Reads samples that are one after the other in a track. Throws a `MediaError` for a damaged original. The bytes come
 * from `buffers`, to which the caller may give them back.
 */
export async function readSamples(
  source: ByteSource,
  { track, from, to }: SampleRange,
  buffers: Buffers = freshBuffers,
): Promise<SampleBytes> {
  const fragment = layOutFragment(track, { from, to, lead: null });
  const bytes = await readParts(source, fragment.ranges, buffers);
  const starts = new Float64Array(to - from);
  for (const run of fragment.runs) {
    let at = run.offset - fragment.base;
    for (let sample = run.firstSample; sample < run.firstSample + run.count; sample++) {
      starts[sample - from] = at;
      at += track.samples.sizeOf(sample);
    }
    if (at > bytes.length) {
      throw new MediaError("not-a-video", "The video's samples are not those of its index", {
        expected: at,
        got: bytes.length,
      });
    }
  }
  return { bytes, starts };
}

/** Parts that one read of the original serves. */
interface Read {
  readonly offset: number;
  end: number;
  readonly parts: { readonly part: Exclude<PlanPart, { bytes: Uint8Array }>; readonly at: number }[];
}

async function readParts(source: ByteSource, parts: readonly PlanPart[], buffers: Buffers): Promise<Uint8Array> {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined && "offset" in only && !("decode" in only)) {
    return readOne(source, only.offset, only.length, buffers);
  }
  const out = buffers.take(parts.reduce((sum, part) => sum + partBytes(part), 0));
  for (const read of readsOf(parts, out)) {
    const bytes = await readOne(source, read.offset, read.end - read.offset, buffers);
    for (const { part, at } of read.parts) {
      const from = part.offset - read.offset;
      const own = bytes.subarray(from, from + part.length);
      out.set("decode" in part ? part.decode(own) : own, at);
    }
    buffers.give(bytes);
  }
  return out;
}

async function readOne(source: ByteSource, offset: number, length: number, buffers: Buffers): Promise<Uint8Array> {
  if (!source.readInto) return source.read(offset, length);
  const target = buffers.take(length);
  const got = await source.readInto(target, offset);
  if (got === length) return target;
  throw new MediaError("truncated", "The video ends before its index does", { expected: length, got });
}

/** What is to be read, in order; literal bytes are put in place at once. */
function readsOf(parts: readonly PlanPart[], out: Uint8Array): Read[] {
  const reads: Read[] = [];
  let at = 0;
  for (const part of parts) {
    if ("bytes" in part) out.set(part.bytes, at);
    else {
      const last = reads.at(-1);
      const end = part.offset + part.length;
      const isNear = last !== undefined && part.offset >= last.end && part.offset - last.end <= maxGapBytes;
      if (isNear && end - last.offset <= maxReadBytes) {
        last.end = end;
        last.parts.push({ part, at });
      } else reads.push({ offset: part.offset, end, parts: [{ part, at }] });
    }
    at += partBytes(part);
  }
  return reads;
}
