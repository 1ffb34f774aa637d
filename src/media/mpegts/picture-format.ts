import { type BitReader, orNullAtEnd } from "./bit-reader.ts";

const maxSide = 16_384;
const extendedAspect = 255;

/** Code points of ITU-T H.273, as `colr` has them. */
export interface Colour {
  readonly primaries: number;
  readonly transfer: number;
  readonly matrix: number;
  readonly isFullRange: boolean;
}

/** Width to height of a pixel. */
export interface PixelAspect {
  readonly width: number;
  readonly height: number;
}

/** What a sequence parameter set says of the pictures. */
export interface PictureFormat {
  /** After cropping. */
  readonly width: number;
  readonly height: number;
  readonly chromaFormat: number;
  readonly lumaDepth: number;
  readonly chromaDepth: number;
  readonly usage: VideoUsage;
}

/** Of the video usability information; null where it is silent. */
export interface VideoUsage {
  readonly aspect: PixelAspect | null;
  readonly colour: Colour | null;
  /** Seconds of `num_units_in_tick`: a field of H.264, a picture of H.265. */
  readonly tickSeconds: number | null;
}

const noUsage: VideoUsage = { aspect: null, colour: null, tickSeconds: null };

/** Whether pictures can be of this size. */
export const isPictureSize = (width: number, height: number) =>
  width > 0 && height > 0 && width <= maxSide && height <= maxSide;

/** Coded size less what `frame_cropping` or the conformance window cuts off, which is counted in chroma samples. */
export function cropped(
  coded: { readonly width: number; readonly height: number },
  crop: readonly number[],
  unit: { readonly x: number; readonly y: number },
): { width: number; height: number } {
  const [left = 0, right = 0, top = 0, bottom = 0] = crop;
  return { width: coded.width - (left + right) * unit.x, height: coded.height - (top + bottom) * unit.y };
}

/** `aspect_ratio_idc` (ITU-T H.264 table E-1), the same in H.265. */
const aspects: readonly (readonly [number, number])[] = [
  ...([
    [0, 0],
    [1, 1],
    [12, 11],
    [10, 11],
    [16, 11],
    [40, 33],
    [24, 11],
    [20, 11],
    [32, 11],
    [80, 33],
  ] as const),
  ...([
    [18, 11],
    [15, 11],
    [64, 33],
    [160, 99],
    [4, 3],
    [3, 2],
    [2, 1],
  ] as const),
];

/** The part of `vui_parameters` that H.264 and H.265 share, up to `chroma_sample_loc`. */
export function readSharedUsage(bits: BitReader): { aspect: PixelAspect | null; colour: Colour | null } {
  const aspect = bits.flag() ? readAspect(bits) : null;
  if (bits.flag()) bits.skip(1); // overscan_appropriate_flag
  const colour = bits.flag() ? readColour(bits) : null;
  if (bits.flag()) {
    bits.ue(); // chroma_sample_loc_type_top_field
    bits.ue(); // chroma_sample_loc_type_bottom_field
  }
  return { aspect, colour };
}

function readAspect(bits: BitReader): PixelAspect | null {
  const idc = bits.bits(8);
  const [width = 0, height = 0] = idc === extendedAspect ? [bits.bits(16), bits.bits(16)] : (aspects[idc] ?? []);
  return width > 0 && height > 0 ? { width, height } : null;
}

function readColour(bits: BitReader): Colour | null {
  bits.skip(3); // video_format
  const isFullRange = bits.flag();
  if (!bits.flag()) return null;
  return { primaries: bits.bits(8), transfer: bits.bits(8), matrix: bits.bits(8), isFullRange };
}

/** Seconds of a tick from `num_units_in_tick` and `time_scale`. */
export function readTick(bits: BitReader): number | null {
  const units = bits.bits(32);
  const scale = bits.bits(32);
  return units > 0 && scale > 0 ? units / scale : null;
}

/** Usage information that ends early counts as none. */
export const readUsage = (read: () => VideoUsage): VideoUsage => orNullAtEnd(read) ?? noUsage;
