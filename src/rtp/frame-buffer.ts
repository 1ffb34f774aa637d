import type { PacketSink } from "./packet-sink.ts";

/** Most bytes that a sink gets at once; one picture may be larger and comes in several calls. */
const capacity = 256 * 1024;

/** Collects what one stream sends in one go: one for all streams, for each is done before the next one begins. */
export class FrameBuffer {
  readonly bytes = new Uint8Array(capacity);
  readonly view = new DataView(this.bytes.buffer);
  #length = 0;
  #sink: PacketSink | null = null;

  /** What follows is for this sink, until `end`. */
  begin(sink: PacketSink): void {
    this.#sink = sink;
    this.#length = 0;
  }

  end(): void {
    this.flush();
    this.#sink = null;
  }

  /** Bytes that fit in. */
  get room(): number {
    return capacity - this.#length;
  }

  /** Adds `source[from, to)`, which must fit in; returns where it starts in `bytes`. */
  add(source: Uint8Array, from: number, to: number): number {
    const at = this.#length;
    this.bytes.set(source.subarray(from, to), at);
    this.#length += to - from;
    return at;
  }

  /** Gives the sink what was collected. */
  flush(): void {
    if (this.#length === 0) return;
    const frames = this.bytes.subarray(0, this.#length);
    this.#length = 0;
    this.#sink?.send(frames);
  }

  /** Adds a packet with the header of its frame. */
  addPacket(channel: number, packet: Uint8Array): void {
    if (packet.length + 4 > this.room) this.flush();
    const at = this.#length;
    this.bytes[at] = 0x24;
    this.bytes[at + 1] = channel;
    this.bytes[at + 2] = packet.length >> 8;
    this.bytes[at + 3] = packet.length;
    this.bytes.set(packet, at + 4);
    this.#length = at + 4 + packet.length;
  }
}
