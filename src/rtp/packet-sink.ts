/**
 * Where the packets of one stream go. All of a stream's packets that are due at a time come in one call, so a TCP sink
 * writes once; those of one channel come in order.
 */
export interface PacketSink {
  /**
   * Takes RTP and RTCP packets, each after four bytes `$`, channel, length (RFC 2326 section 10.12): what a TCP
   * connection sends as it is. A UDP sink takes them apart with `forEachPacket`. The bytes are overwritten after the
   * call: what is not written by then must be copied. Must not throw.
   */
  send(frames: Uint8Array): void;
  /** Bytes taken and not yet given to the network. Above a bound the stream waits. */
  readonly pendingBytes: number;
  /**
   * Calls `resume` once, as soon as `pendingBytes` is 0 or has fallen much; never from within this call. A later call
   * may come before: then only its `resume` needs to be called.
   */
  onDrain(resume: () => void): void;
}

/** Bytes before each packet in `PacketSink.send`. */
const frameHeaderBytes = 4;

/** Gives each packet and its channel; the packet is a view of `frames`. */
export function forEachPacket(frames: Uint8Array, use: (channel: number, packet: Uint8Array) => void): void {
  for (let at = 0; at + frameHeaderBytes <= frames.length; ) {
    const start = at + frameHeaderBytes;
    const end = start + (frames[at + 2] ?? 0) * 256 + (frames[at + 3] ?? 0);
    use(frames[at + 1] ?? 0, frames.subarray(start, end));
    at = end;
  }
}
