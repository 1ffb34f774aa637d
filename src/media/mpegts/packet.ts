/** How the packets of a transport stream lie in the file. ISO/IEC 13818-1 section 2.4.3. */
export interface PacketLayout {
  /** Bytes from one packet to the next: 188, 192 (M2TS), 204 (with Reed-Solomon code). */
  readonly stride: number;
  /** Bytes before the sync byte: the time stamp of M2TS. */
  readonly lead: number;
}

export const packetBytes = 188;
export const syncByte = 0x47;
export const maxStride = 204;

const layouts: readonly PacketLayout[] = [
  { stride: 188, lead: 0 },
  { stride: 192, lead: 4 },
  { stride: 204, lead: 0 },
];
/** Sync bytes in a row that make a transport stream. */
const syncsToStart = 5;
/** Fewer do where there is no room for more, in tiny files. */
const syncsAtLeast = 3;
/** Sync bytes in a row after which reading goes on behind junk. */
const syncsToResume = 4;
/** What `resync` must see behind a position to judge it. */
export const resyncBytes = maxStride * syncsToResume;

/** The layout of a file that begins with these bytes, also in the middle of a packet; null when it is none. */
export function findLayout(head: Uint8Array): PacketLayout | null {
  for (const syncs of [syncsToStart, syncsAtLeast]) {
    for (const layout of layouts) {
      if (syncs === syncsAtLeast && head.length >= layout.stride * syncsToStart * 2) continue;
      for (let at = 0; at < layout.stride; at++) if (countSyncs(head, at, layout, syncs) === syncs) return layout;
    }
  }
  return null;
}

/**
 * The first place from `from` where packets begin again, or -1. At the end of the file (`final`) the packets that fit
 * are enough.
 */
export function resync(bytes: Uint8Array, from: number, layout: PacketLayout, final: boolean): number {
  const last = bytes.length - (final ? packetBytes + layout.lead : resyncBytes);
  for (let at = from; at <= last; at++) {
    if (bytes[at + layout.lead] !== syncByte) continue;
    const room = Math.floor((bytes.length - at - layout.lead - 1) / layout.stride) + 1;
    const wanted = Math.min(syncsToResume, room);
    if (countSyncs(bytes, at, layout, wanted) === wanted) return at;
  }
  return -1;
}

function countSyncs(bytes: Uint8Array, at: number, { stride, lead }: PacketLayout, wanted: number): number {
  let count = 0;
  while (count < wanted && bytes[at + lead + count * stride] === syncByte) count++;
  return count;
}

/** The packet identifier of the packet whose sync byte is at `at`. */
export function pidAt(bytes: Uint8Array, at: number): number {
  return (((bytes[at + 1] ?? 0) & 0x1f) << 8) | (bytes[at + 2] ?? 0);
}

/** Where the payload starts of the packet whose sync byte is at `at`; the packet's end when it has none. */
export function payloadAt(bytes: Uint8Array, at: number): number {
  const control = (bytes[at + 3] ?? 0) & 0x30;
  if (control === 0x10) return at + 4;
  const end = at + packetBytes;
  return control === 0x30 ? Math.min(end, at + 5 + (bytes[at + 4] ?? 0)) : end;
}
