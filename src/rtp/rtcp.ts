/** RTCP packet types, RFC 3550 section 12.1. */
const types = { senderReport: 200, receiverReport: 201, description: 202, bye: 203 };
const version = 0x80;
const reportBytes = 24;
/** Seconds from 1900, where NTP begins, to 1970. */
const ntpEpochSeconds = 2_208_988_800;
/** Types that may be in a compound packet: those of RFC 3550, feedback (RFC 4585) and extended reports (RFC 3611). */
const knownTypes = { first: 200, last: 207 };

/** An NTP timestamp (RFC 3550 section 4). */
export interface NtpTime {
  readonly seconds: number;
  /** Of a second, times 2^32. */
  readonly fraction: number;
}

/** `wallMs`: milliseconds since 1970. */
export function ntpTime(wallMs: number): NtpTime {
  const seconds = Math.floor(wallMs / 1000);
  const fraction = Math.floor(((wallMs - seconds * 1000) / 1000) * 2 ** 32);
  return { seconds: (seconds + ntpEpochSeconds) >>> 0, fraction: fraction >>> 0 };
}

/** The middle 32 bits, in which receivers tell which report they heard last. */
export const middleOf = ({ seconds, fraction }: NtpTime) => (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0;

/** What a sender report says (RFC 3550 section 6.4.1). */
export interface SenderReport {
  readonly ssrc: number;
  readonly ntp: NtpTime;
  /** The RTP timestamp of the same moment. */
  readonly rtpTime: number;
  readonly packets: number;
  /** Of payload. */
  readonly octets: number;
}

/** A compound packet: sender report and `CNAME`, with a reason `BYE` as well. */
export function senderPacket(report: SenderReport, cname: string, byeReason: string | null): Uint8Array {
  const parts = [senderReport(report), description(report.ssrc, cname)];
  if (byeReason !== null) parts.push(bye(report.ssrc, byeReason));
  return Buffer.concat(parts);
}

function senderReport({ ssrc, ntp, rtpTime, packets, octets }: SenderReport): Buffer {
  const bytes = Buffer.alloc(28);
  header(bytes, 0, types.senderReport);
  const words = [ssrc, ntp.seconds, ntp.fraction, rtpTime, packets, octets];
  words.forEach((word, i) => {
    bytes.writeUInt32BE(word >>> 0, 4 + i * 4);
  });
  return bytes;
}

/** Section 6.5: the item is followed by one zero at least. */
function description(ssrc: number, cname: string): Buffer {
  const name = Buffer.from(cname).subarray(0, 255);
  const bytes = Buffer.alloc(padded(8 + 2 + name.length + 1));
  header(bytes, 1, types.description);
  bytes.writeUInt32BE(ssrc, 4);
  bytes[8] = 1;
  bytes[9] = name.length;
  name.copy(bytes, 10);
  return bytes;
}

/** Section 6.6. */
function bye(ssrc: number, reason: string): Buffer {
  const text = Buffer.from(reason).subarray(0, 255);
  const bytes = Buffer.alloc(padded(8 + (text.length > 0 ? 1 + text.length : 0)));
  header(bytes, 1, types.bye);
  bytes.writeUInt32BE(ssrc, 4);
  if (text.length > 0) {
    bytes[8] = text.length;
    text.copy(bytes, 9);
  }
  return bytes;
}

const padded = (length: number) => Math.ceil(length / 4) * 4;

function header(bytes: Buffer, count: number, type: number): void {
  bytes[0] = version | count;
  bytes[1] = type;
  bytes.writeUInt16BE(bytes.length / 4 - 1, 2);
}

/** What a receiver says of one source. */
export interface ReportBlock {
  readonly ssrc: number;
  /** 256ths. */
  readonly fractionLost: number;
  readonly packetsLost: number;
  /** Ticks of the clock rate. */
  readonly jitter: number;
  /** Middle of the NTP time of the last sender report heard; 0 for none. */
  readonly lastReport: number;
  /** 65536ths of a second since then. */
  readonly delay: number;
}

/**
 * The report blocks of a compound packet; null when it is none (RFC 3550 appendix A.2: version, types and lengths must
 * fit to its last byte). There are never more blocks than the packet has room for.
 */
export function readReports(packet: Uint8Array): ReportBlock[] | null {
  if (packet.length < 8) return null;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const blocks: ReportBlock[] = [];
  let at = 0;
  while (at < packet.length) {
    if (at + 4 > packet.length) return null;
    const first = view.getUint8(at);
    const type = view.getUint8(at + 1);
    const end = at + (view.getUint16(at + 2) + 1) * 4;
    if ((first & 0xc0) !== version || end > packet.length) return null;
    if (type < knownTypes.first || type > knownTypes.last) return null;
    // Feedback may come alone (RFC 5506); of the others reports come first, but a lone BYE is understood.
    if (type === types.senderReport || type === types.receiverReport) {
      const start = at + (type === types.senderReport ? 28 : 8);
      const count = first & 0x1f;
      if (start + count * reportBytes > end) return null;
      for (let i = 0; i < count; i++) blocks.push(readBlock(view, start + i * reportBytes));
    }
    at = end;
  }
  return blocks;
}

function readBlock(view: DataView, at: number): ReportBlock {
  return {
    ssrc: view.getUint32(at),
    fractionLost: view.getUint8(at + 4),
    packetsLost: (view.getInt32(at + 4) << 8) >> 8,
    jitter: view.getUint32(at + 12),
    lastReport: view.getUint32(at + 16),
    delay: view.getUint32(at + 20),
  };
}
