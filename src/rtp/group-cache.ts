import { LRUCache } from "lru-cache";

import type { Buffers } from "../media/buffers.ts";
import type { PacketGroup } from "../media/rtp/packet-group.ts";
import { keyPiecesOf, packetise, piecesOf } from "../media/rtp/packetise.ts";
import type { RtpTrack } from "../media/rtp/rtp-tracks.ts";
import type { RtpOriginal } from "./rtp-stream.ts";
import { bytesOfGroup, type StreamMemory } from "./stream-memory.ts";

/** What is kept of the end of a track costs. */
const endBytes = 256;
/** Groups that are read at once, for all streams: each takes twice its bytes meanwhile. */
const loadsAtOnce = 16;

/** A load that waits for its turn. */
interface Turn {
  readonly neededMs: number;
  begin(): void;
}

/** Names a group of a track. */
export interface GroupPlace {
  /** Segment of the track, from 1. */
  readonly segment: number;
  /** Piece of the segment, from 0. */
  readonly piece: number;
  /** Whether it has key frames only. */
  readonly keysOnly: boolean;
}

/** A group, and whether another one of its segment follows; null past the last segment. */
export interface LoadedGroup {
  readonly group: PacketGroup | null;
  readonly isLastPiece: boolean;
}

interface Context {
  readonly original: RtpOriginal;
  readonly track: RtpTrack;
  readonly place: GroupPlace;
}

/** Packets of all originals up to a sum of bytes. Streams that want the same at the same time share one read. */
export class GroupCache {
  readonly #groups: LRUCache<string, LoadedGroup>;
  readonly #limitBytes: number;
  readonly #memory: StreamMemory;
  readonly #buffers: Buffers;
  /** Apart from what is kept: a load must not be given up because others filled the cache. */
  readonly #loads = new Map<string, Promise<LoadedGroup>>();
  #loading = 0;
  /** What is needed first is last. */
  readonly #waiting: Turn[] = [];

  /** Keeps so many bytes at most, and fewer when `memory` is needed by those who play. */
  constructor(limitBytes: number, memory: StreamMemory, buffers: Buffers) {
    this.#buffers = buffers;
    this.#limitBytes = limitBytes;
    this.#memory = memory;
    this.#groups = new LRUCache({
      maxSize: limitBytes,
      sizeCalculation: sizeOf,
      dispose: ({ group }) => memory.release(group),
    });
    memory.onPressure(() => {
      while (memory.isFull && this.#groups.size > 0) this.#groups.pop();
    });
  }

  /** Bytes kept. */
  get bytes(): number {
    return this.#groups.calculatedSize;
  }

  /** The group if it is there; undefined when it must be loaded. */
  get(original: RtpOriginal, track: RtpTrack, place: GroupPlace): LoadedGroup | undefined {
    return this.#groups.get(keyOf(original, track, place));
  }

  /**
   * Throws what the original's `read` throws, or a `MediaError`. What is needed first is read first, whoever came when:
   * a thousand streams that begin at once hold up nobody who plays. `neededMs` is by any clock that all use.
   */
  load(original: RtpOriginal, track: RtpTrack, place: GroupPlace, neededMs: number): Promise<LoadedGroup> {
    const key = keyOf(original, track, place);
    const kept = this.#groups.get(key);
    if (kept !== undefined) return Promise.resolve(kept);
    const running = this.#loads.get(key) ?? this.#start(key, { original, track, place }, neededMs);
    this.#loads.set(key, running);
    return running;
  }

  async #start(key: string, context: Context, neededMs: number): Promise<LoadedGroup> {
    try {
      const loaded = await this.#inTurn(() => load(context, this.#buffers), neededMs);
      this.#keep(key, loaded);
      return loaded;
    } finally {
      this.#loads.delete(key);
    }
  }

  #keep(key: string, loaded: LoadedGroup): void {
    if (sizeOf(loaded) > this.#limitBytes) return;
    this.#memory.hold(loaded.group);
    this.#groups.set(key, loaded);
  }

  async #inTurn<T>(work: () => Promise<T>, neededMs: number): Promise<T> {
    if (this.#loading >= loadsAtOnce) await this.#turn(neededMs);
    else this.#loading++;
    try {
      return await work();
    } finally {
      // Whoever is next has the place from here on.
      const next = this.#waiting.pop();
      if (next) next.begin();
      else this.#loading--;
    }
  }

  #turn(neededMs: number): Promise<void> {
    return new Promise((begin) => {
      let [low, high] = [0, this.#waiting.length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((this.#waiting[middle]?.neededMs ?? 0) > neededMs) low = middle + 1;
        else high = middle;
      }
      this.#waiting.splice(low, 0, { neededMs, begin });
    });
  }
}

const sizeOf = ({ group }: LoadedGroup) => (group === null ? endBytes : bytesOfGroup(group));

const keyOf = ({ key }: RtpOriginal, { trackId }: RtpTrack, { segment, piece, keysOnly }: GroupPlace) =>
  `${key} ${trackId} ${keysOnly ? "keys" : "all"} ${segment} ${piece}`;

function load({ original, track, place }: Context, buffers: Buffers): Promise<LoadedGroup> {
  return original.read(async (source) => {
    const range = await original.presentation.segmentSamples(source, track.trackId, place.segment);
    if (range === null) return { group: null, isLastPiece: true };
    const pieces = place.keysOnly ? keyPiecesOf(range) : piecesOf(range);
    const piece = pieces[place.piece] ?? { ...range, to: range.from };
    return { group: await packetise(source, piece, track, buffers), isLastPiece: place.piece + 1 >= pieces.length };
  });
}
