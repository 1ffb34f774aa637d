import { LRUCache } from "lru-cache";
import type { ByteSource } from "../byte-source.ts";
import { frameBytes } from "./frames.ts";
import { type BlockTrack, type FramesByTrack, readFrames } from "./walk.ts";

/** Largest sum of frame lists kept in memory, of all originals together. */
const keptBytes = 16 * 2 ** 20;
const overheadBytes = 2048;
const windowBytes = 128 * 1024;
const maxFrames = 1_000_000;

/** Where the regions of an original are, and what is read of them. */
export interface RegionMap {
  readonly tracks: readonly BlockTrack[];
  /** Where each region starts, which is where a cluster does; and the end of the last one. */
  readonly offsets: Float64Array;
}

interface Context {
  readonly source: ByteSource;
  readonly map: RegionMap;
  readonly index: number;
}

const kept = new LRUCache<string, FramesByTrack, Context>({
  maxSize: keptBytes,
  sizeCalculation: (frames) =>
    [...frames.values()].reduce((sum, { sizes }) => sum + overheadBytes + sizes.length * frameBytes, 0),
  // Who waits for one is not to suffer when others fill the cache in the meantime.
  ignoreFetchAbort: true,
  fetchMethod: (_key, _stale, { context }) => readRegion(context),
});

let lastId = 0;
const names = new WeakMap<RegionMap, string>();

/**
 * The frames of a region, by track. Sound and picture of a segment are asked for one after the other, so those read
 * last are kept; who asks for the same at the same time shares one read.
 */
export function framesOf(source: ByteSource, map: RegionMap, index: number): Promise<FramesByTrack> {
  const name = names.get(map) ?? String(++lastId);
  names.set(map, name);
  return kept.forceFetch(`${name}:${index}`, { context: { source, map, index } });
}

function readRegion({ source, map, index }: Context): Promise<FramesByTrack> {
  const { offsets, tracks } = map;
  const limit = Math.min(offsets.at(-1) ?? 0, source.size);
  return readFrames(source, tracks, {
    from: offsets[index] ?? limit,
    to: offsets[index + 1] ?? limit,
    limit,
    windowBytes,
    maxFrames,
  });
}
