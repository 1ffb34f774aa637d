/** Bytes after which what begins like no video is refused. */
export const SNIFF_BYTES = 8192;

/** Boxes that an MP4 or QuickTime file may begin with (ISO/IEC 14496-12; QuickTime File Format). */
const FIRST_BOXES = new Set(
  "ftyp moov mdat wide free skip pnot uuid styp moof sidx udta meta junk PICT prfl pdin".split(" "),
);
const EBML = [0x1a, 0x45, 0xdf, 0xa3];
const SYNC_BYTE = 0x47;
/** Packets of plain transport streams, of M2TS (4 bytes of time before each) and with Reed-Solomon code. */
const PACKET_BYTES = [188, 192, 204];
/** Sync bytes in a row that make a transport stream, also when it begins in the middle of a packet. */
const SYNCS = 5;

/**
 * What the first bytes of a file say: `video` when they begin one, `other` when they certainly do not, and
 * `unknown` while `SNIFF_BYTES` are not there. `video` is no promise: whoever reads the container decides.
 */
export function sniff(head: Uint8Array): "video" | "other" | "unknown" {
  if (head.length < 12) return "unknown";
  if (FIRST_BOXES.has(String.fromCharCode(...head.subarray(4, 8)))) return "video";
  if (EBML.every((byte, index) => head[index] === byte)) return "video";
  if (head.length < SNIFF_BYTES) return "unknown";
  return PACKET_BYTES.some((size) => hasSyncs(head, size)) ? "video" : "other";
}

function hasSyncs(head: Uint8Array, size: number): boolean {
  for (let start = 0; start < size; start++) {
    let found = 0;
    while (found < SYNCS && head[start + found * size] === SYNC_BYTE) found++;
    if (found === SYNCS) return true;
  }
  return false;
}
