import type { Container } from "./movie.ts";
import { looksLikeMp4 } from "./mp4/top-level.ts";
import { findLayout } from "./mpegts/packet.ts";

/** Enough to tell every container: several packets of a transport stream that begins in the middle of one. */
export const headBytes = 4096;

const ebmlMagic = 0x1a45dfa3;

/** What the first bytes of a file show: `mp4` stands for MOV, `matroska` for WebM as well; null when nothing known. */
export function sniffContainer(head: Uint8Array): Extract<Container, "mp4" | "matroska" | "mpegts"> | null {
  if (looksLikeMp4(head)) return "mp4";
  if (head.length >= 4 && new DataView(head.buffer, head.byteOffset).getUint32(0) === ebmlMagic) {
    return "matroska";
  }
  return findLayout(head) === null ? null : "mpegts";
}
