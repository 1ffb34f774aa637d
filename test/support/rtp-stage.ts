import type { ByteSource } from "../../src/media/byte-source.ts";
import { openMedia } from "../../src/media/open.ts";
import { rtpTracksOf } from "../../src/media/rtp/rtp-tracks.ts";
import type { Clock } from "../../src/rtp/clock.ts";
import { forEachPacket, type PacketSink } from "../../src/rtp/packet-sink.ts";
import type { RtpOriginal, StreamTrack } from "../../src/rtp/rtp-stream.ts";
import { type RtpPacket, rtpPackets } from "./depacketise.ts";
import { type FixtureName, fixture } from "./fixtures.ts";
import { fileSource } from "./packets.ts";

/** A clock that goes on when it is told to. */
export class HandClock implements Clock {
  #now = 0;
  readonly #timers = new Map<() => void, { readonly ms: number; next: number }>();

  now(): number {
    return this.#now;
  }

  wallMs(): number {
    return Date.UTC(2030, 0, 1) + this.#now;
  }

  every(ms: number, call: () => void): () => void {
    this.#timers.set(call, { ms, next: this.#now + ms });
    return () => this.#timers.delete(call);
  }

  /** Whether anything waits for it. */
  get isWanted(): boolean {
    return this.#timers.size > 0;
  }

  /** Goes on by `ms`, 10 ms at a time; what is being loaded has come before each step. */
  async advance(ms: number): Promise<void> {
    for (const end = this.#now + ms; this.#now < end; ) {
      await settled();
      this.#now += 10;
      for (const [call, timer] of [...this.#timers]) {
        if (timer.next > this.#now) continue;
        timer.next += timer.ms;
        call();
      }
    }
    await settled();
  }
}

/** Lets promises that wait for nothing outside go to their end. */
async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A packet, and when it was sent. */
export interface SentPacket extends RtpPacket {
  readonly atMs: number;
}

/** Keeps all that is sent; its queue is as long as it is told. */
export class KeepingSink implements PacketSink {
  pendingBytes = 0;
  calls = 0;
  readonly packets: SentPacket[] = [];
  readonly rtcp: { readonly channel: number; readonly bytes: Uint8Array; readonly atMs: number }[] = [];
  #resume: (() => void) | null = null;
  readonly #clock: Pick<Clock, "now">;

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  send(frames: Uint8Array): void {
    this.calls++;
    const atMs = this.#clock.now();
    for (const packet of rtpPackets(frames)) this.packets.push({ ...packet, atMs });
    forEachPacket(frames, (channel, bytes) => {
      if (channel % 2 === 1) this.rtcp.push({ channel, bytes: bytes.slice(), atMs });
    });
  }

  onDrain(resume: () => void): void {
    this.#resume = resume;
  }

  drain(): void {
    this.pendingBytes = 0;
    this.#resume?.();
  }

  of(channel: number): SentPacket[] {
    return this.packets.filter((packet) => packet.channel === channel);
  }
}

/** An original whose reads are counted, and fail on demand. */
export interface StagedOriginal extends RtpOriginal {
  readonly presentation: RtpOriginal["presentation"];
  readonly reads: { bytes: number; fail: Error | null };
  /** Every track that RTP carries, on channels 0 and 1, 2 and 3, … */
  readonly tracks: readonly StreamTrack[];
}

export async function stagedOriginal(name: FixtureName): Promise<StagedOriginal> {
  const file = await fileSource(await fixture(name));
  const { presentation } = await openMedia(file);
  if (presentation === null) throw new Error(`${name} is not packaged`);
  const reads: StagedOriginal["reads"] = { bytes: 0, fail: null };
  const source: ByteSource = {
    size: file.size,
    async read(offset, length) {
      if (reads.fail !== null) throw reads.fail;
      reads.bytes += length;
      return file.read(offset, length);
    },
    async readInto(target, offset) {
      target.set(await source.read(offset, target.length));
      return target.length;
    },
  };
  return {
    ...{ key: name, presentation, reads, read: (use) => use(source) },
    tracks: rtpTracksOf(presentation).tracks.map(({ trackId }, i) => ({
      ...{ trackId, rtpChannel: i * 2, rtcpChannel: i * 2 + 1 },
    })),
  };
}
