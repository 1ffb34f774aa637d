import type { RtpStream, RtpStreamOptions } from "./rtp-stream.ts";

export interface RtpEngineOptions {
  /** Bytes of packets kept for other streams of the same title; 64 MiB unless given. */
  readonly cacheBytes?: number;
}

/** What all streams of a process share: the timer and the packets. */
export declare class RtpEngine {
  constructor(options?: RtpEngineOptions);
  /** A stream of its own state: SSRCs, sequence numbers, clock. */
  open(options: RtpStreamOptions): RtpStream;
  /** Closes all streams. */
  close(): void;
}
