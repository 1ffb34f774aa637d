import type { Container } from "./movie.ts";
import { looksLikeMp4 } from "./mp4/top-level.ts";

/** Enough to tell every container: three packets of a transport stream. */
export const headBytes = 600;

const ebmlMagic = 0x1a45dfa3;
const transportSync = 0x47;
/** Packets of 188 bytes, or 192 with a time stamp before each (M2TS). */
const transportPackets = [
  { bytes: 188, at: 0 },
  { bytes: 192, at: 4 },
];

/** What the first bytes of a file show: `mp4` stands for MOV, `matroska` for WebM as well; null when nothing known. */
export function sniffContainer(head: Uint8Array): Extract<Container, "mp4" | "matroska" | "mpegts"> | null {
  if (looksLikeMp4(head)) return "mp4";
  if (head.length >= 4 && new DataView(head.buffer, head.byteOffset).getUint32(0) === ebmlMagic) {
    return "matroska";
  }
  const isTransport = transportPackets.some(({ bytes, at }) =>
    [at, at + bytes, at + 2 * bytes].every((position) => head[position] === transportSync),
  );
  return isTransport ? "mpegts" : null;
}
