import type { ByteSource } from "../byte-source.ts";
import { childOf, childrenOf, type Element, type ElementPlace, readElementHeader, unsigned } from "./ebml.ts";
import { ids } from "./ids.ts";

/** Of the first cluster, for the frame rate; and of the end of the file, for the last block. */
const headBytes = 4 * 2 ** 20;
const tailBytes = 4 * 2 ** 20;
/** Places that look like the start of a cluster. */
const maxCandidates = 1000;
const framesForRate = 64;
const clusterIdBytes = [0x1f, 0x43, 0xb6, 0x75] as const;

/** Frames for each tick, from the first ones of a track; 0 when they do not tell. Reads 4 MiB at most. */
export async function firstFrameRate(
  source: ByteSource,
  firstCluster: ElementPlace | null,
  trackNumber: number,
): Promise<number> {
  if (firstCluster === null) return 0;
  const offset = Math.min(firstCluster.contentOffset, source.size);
  const content = await source.read(offset, Math.min(headBytes, source.size - offset));
  return rateOf(blocksOf({ content, offset }, framesForRate, trackNumber));
}

function rateOf(timestamps: readonly number[]): number {
  const sorted = timestamps.toSorted((a, b) => a - b);
  const span = (sorted.at(-1) ?? 0) - (sorted[0] ?? 0);
  return span > 0 ? (sorted.length - 1) / span : 0;
}

/** Timestamps of the blocks in a cluster, of one track or of all; up to `count` of them. */
function blocksOf(cluster: Pick<Element, "content" | "offset">, count: number, trackNumber: number | null): number[] {
  const base = unsigned(childOf(cluster, ids.timestamp), 0);
  const timestamps: number[] = [];
  for (const child of childrenOf(cluster)) {
    const block = child.id === ids.blockGroup ? childOf(child, ids.block) : child.id === ids.simpleBlock ? child : null;
    const time = block && readBlockTime(block.content, trackNumber);
    if (time !== null) timestamps.push(base + time);
    if (timestamps.length >= count) break;
  }
  return timestamps;
}

/** Track number, then 16 bits of time after the cluster's (RFC 9559 section 10.1); null for another track. */
function readBlockTime(block: Uint8Array, trackNumber: number | null): number | null {
  const first = block[0] ?? 0;
  if (first === 0) return null;
  const length = Math.clz32(first) - 23;
  if (length > 4 || block.length < length + 3) return null;
  let track = first & (0xff >> length);
  for (let i = 1; i < length; i++) track = track * 256 + (block[i] ?? 0);
  if (trackNumber !== null && track !== trackNumber) return null;
  return new DataView(block.buffer, block.byteOffset + length).getInt16(0);
}

/**
 * The time in ticks of the last block of the file, from its last cluster; 0 when the file's end does not tell. Reads
 * 4 MiB at most.
 */
export async function lastTimestamp(source: ByteSource, firstCluster: ElementPlace | null): Promise<number> {
  if (firstCluster === null) return 0;
  const start = Math.max(firstCluster.offset, source.size - tailBytes);
  const bytes = await source.read(start, source.size - start);
  let candidates = 0;
  for (let at = bytes.length - clusterIdBytes.length; at >= 0 && candidates < maxCandidates; at--) {
    if (!clusterIdBytes.every((byte, i) => bytes[at + i] === byte)) continue;
    candidates++;
    const time = latestIn(bytes, at);
    if (time !== null) return time;
  }
  return 0;
}

/** The latest time of the cluster that may start here; null when none does. */
function latestIn(bytes: Uint8Array, at: number): number | null {
  const header = readElementHeader(bytes, at);
  if (header === null) return null;
  const offset = at + header.length;
  const end = header.size === null ? bytes.length : Math.min(bytes.length, offset + header.size);
  const cluster = { content: bytes.subarray(offset, end), offset };
  const timestamp = childOf(cluster, ids.timestamp);
  if (timestamp === null) return null;
  const times = blocksOf(cluster, Number.POSITIVE_INFINITY, null);
  return times.reduce((max, time) => Math.max(max, time), unsigned(timestamp, 0));
}
