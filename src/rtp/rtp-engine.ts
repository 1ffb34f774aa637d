import { BufferPool } from "./buffer-pool.ts";
import { type Clock, systemClock } from "./clock.ts";
import { FrameBuffer } from "./frame-buffer.ts";
import { GroupCache } from "./group-cache.ts";
import { OwnPorts } from "./own-ports.ts";
import { PacedStream, type StreamContext } from "./paced-stream.ts";
import type { RtpStream, RtpStreamOptions } from "./rtp-stream.ts";
import { StreamMemory } from "./stream-memory.ts";
import { TimerWheel } from "./timer-wheel.ts";

const defaultCacheBytes = 64 * 2 ** 20;
const defaultMemoryBytes = 512 * 2 ** 20;
/** Of arrays that are used again, kept beside the above. */
const pooledBytes = 32 * 2 ** 20;

export interface RtpEngineOptions {
  /** Bytes of packets kept for other streams of the same title; 64 MiB unless given. */
  readonly cacheBytes?: number;
  /** Bytes of packets and of queues of all streams together; 512 MiB unless given. */
  readonly memoryBytes?: number;
  readonly clock?: Clock;
}

/** What an engine has done since it was made. */
export interface RtpEngineStatistics {
  readonly streams: number;
  readonly packets: number;
  /** Packets sent after they were due. */
  readonly latePackets: number;
  readonly cachedBytes: number;
  /** Of packets, those kept for others too, and of queues. */
  readonly memoryBytes: number;
}

/** What all streams of a process share: the timer and the packets. */
export class RtpEngine {
  /** Whoever keeps packets back for the network counts them here. */
  readonly memory: StreamMemory;
  /** Whoever sends over UDP names its ports here, and refuses to send to one of them. */
  readonly ownPorts = new OwnPorts();
  readonly #streams = new Set<PacedStream>();
  readonly #cache: GroupCache;
  readonly #context: StreamContext;

  constructor(options: RtpEngineOptions = {}) {
    const { cacheBytes = defaultCacheBytes, memoryBytes = defaultMemoryBytes, clock = systemClock } = options;
    const buffers = new BufferPool(Math.min(pooledBytes, memoryBytes / 4));
    const memory = new StreamMemory(memoryBytes, buffers);
    this.memory = memory;
    this.#cache = new GroupCache(cacheBytes, memory, buffers);
    memory.onPressure(() => {
      for (const stream of this.#streams) stream.spare();
    });
    this.#context = {
      ...{ clock, memory, cache: this.#cache, wheel: new TimerWheel(clock), frames: new FrameBuffer() },
      counts: { packets: 0, latePackets: 0 },
      onClosed: (stream) => {
        this.#streams.delete(stream);
        if (this.#streams.size === 0) buffers.clear();
      },
    };
  }

  /** A stream of its own state: SSRCs, sequence numbers, clock. A `RangeError` for a track that RTP does not carry. */
  open(options: RtpStreamOptions): RtpStream {
    const stream = new PacedStream(this.#context, options);
    this.#streams.add(stream);
    return stream;
  }

  get statistics(): RtpEngineStatistics {
    const { usedBytes: memoryBytes } = this.memory;
    return { streams: this.#streams.size, cachedBytes: this.#cache.bytes, memoryBytes, ...this.#context.counts };
  }

  /** Closes all streams. */
  close(): void {
    for (const stream of [...this.#streams]) stream.close();
    this.memory.close();
  }
}
