import { randomBytes } from "node:crypto";
import { slotBytes } from "../media/rtp/packet-group.ts";
import type { RtpTrack } from "../media/rtp/rtp-tracks.ts";
import type { StreamTrack } from "./rtp-stream.ts";

/** What a track of one stream keeps from its first packet to its last, through all seeks. */
export class TrackSender {
  readonly track: RtpTrack;
  readonly channels: StreamTrack;
  readonly ssrc = randomBytes(4).readUInt32BE();
  /** RTP timestamp of the stream's clock at 0; half of the range is random, so that clients see no turnover at once. */
  readonly timestampOffset = randomBytes(4).readUInt32BE() >>> 1;
  /** Of the next packet. */
  seq = randomBytes(2).readUInt16BE();
  packets = 0;
  /** Of payload. */
  octets = 0;

  constructor(track: RtpTrack, channels: StreamTrack) {
    this.track = track;
    this.channels = channels;
  }

  /** The RTP timestamp of a time of the stream's clock, in seconds. */
  timestampAt(clockSeconds: number): number {
    return (this.timestampOffset + Math.round(clockSeconds * this.track.clockRate)) >>> 0;
  }

  /** Fills in what differs between streams in the frame at `at`, which is `length` bytes long. */
  finishFrame(view: DataView, at: number, length: number, timestamp: number): void {
    view.setUint8(at + 1, this.channels.rtpChannel);
    view.setUint16(at + 6, this.seq);
    view.setUint32(at + 8, timestamp);
    view.setUint32(at + 12, this.ssrc);
    this.seq = (this.seq + 1) & 0xffff;
    this.packets = (this.packets + 1) >>> 0;
    this.octets = (this.octets + length - slotBytes) >>> 0;
  }
}
