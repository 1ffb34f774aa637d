import type { VideoTrackInfo } from "../movie.ts";
import { Box } from "./box.ts";

const headerBytes = 8;
const videoFieldsBytes = 78;
/** What 16 bits of `tkhd` hold. */
const maxWidth = 65_536;

/** How wide a pixel is for how high, of `pasp` (ISO/IEC 14496-12 section 12.1.4) in a whole video sample entry; 1:1 without. */
export function pixelAspect(entry: Uint8Array | undefined): { readonly wide: number; readonly high: number } {
  const square = { wide: 1, high: 1 };
  if (entry === undefined) return square;
  const pasp = new Box("entry", entry.subarray(headerBytes), 0).child("pasp", { at: videoFieldsBytes, lenient: true });
  if (pasp === null || pasp.size < 8) return square;
  const [wide, high] = [pasp.u32(0), pasp.u32(4)];
  return wide === 0 || high === 0 ? square : { wide, high };
}

/** Width and height in square pixels, before the picture is turned: as `pasp` says, the height stays. */
export function shownSize({ width, height, sampleEntries }: VideoTrackInfo): { width: number; height: number } {
  const { wide, high } = pixelAspect(sampleEntries[0]);
  const shown = Math.round((width * wide) / high);
  return { width: shown > 0 && shown < maxWidth ? shown : width, height };
}
