import type { ByteSource } from "../byte-source.ts";
import { type PacketLayout, packetBytes, resync, resyncBytes, syncByte } from "./packet.ts";

const readBytes = 2 ** 20;

/** Gets each packet: `bytes[at]` is its sync byte, `offset` where it starts in the file. */
export type PacketUse = (bytes: Uint8Array, at: number, offset: number) => void;

export interface ScanResult {
  /**
   * Where packets stop following each other, and where they go on, in turn: something else lies in between. Of
   * packets that were read.
   */
  readonly breaks: readonly number[];
  /** Whether the file ends in the middle of a packet. */
  readonly isCut: boolean;
}

/** Reads packets one after the other from `from` until the end or until `isDone`, one piece in memory at a time. */
export async function scanPackets(
  source: ByteSource,
  layout: PacketLayout,
  use: PacketUse,
  { from = 0, isDone = () => false }: { readonly from?: number; readonly isDone?: () => boolean } = {},
): Promise<ScanResult> {
  const { stride, lead } = layout;
  const breaks: number[] = [];
  let position = from;
  // Where packets stopped following each other; null while they do.
  let lost: number | null = from;
  while (position < source.size && !isDone()) {
    const wanted = Math.min(readBytes, source.size - position);
    const bytes = await source.read(position, wanted);
    const final = bytes.length < wanted || position + bytes.length >= source.size;
    let at = 0;
    for (; at + lead + packetBytes <= bytes.length; at += stride) {
      if (lost !== null || !isPacket(bytes, at, layout, final)) {
        lost ??= position + at;
        const next = resync(bytes, at, layout, final);
        if (next < 0) break;
        if (lost !== position + next && lost !== from) breaks.push(lost, position + next);
        at = next;
        lost = null;
      }
      use(bytes, at + lead, position + at);
    }
    if (final) return { breaks, isCut: lost === null && at + lead < bytes.length };
    position += lost === null ? at : Math.max(at, bytes.length - resyncBytes);
  }
  return { breaks, isCut: false };
}

/** Whether a packet is there: what only looks like one is not followed by another, and others begin inside of it. */
function isPacket(bytes: Uint8Array, at: number, layout: PacketLayout, final: boolean): boolean {
  if (bytes[at + layout.lead] !== syncByte) return false;
  const next = at + layout.stride + layout.lead;
  if (next >= bytes.length || bytes[next] === syncByte) return true;
  const other = resync(bytes.subarray(0, at + packetBytes + resyncBytes), at + 1, layout, final);
  return other < 0 || other >= at + packetBytes;
}
