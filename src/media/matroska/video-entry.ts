import { box, fullBox, type Part, u16, u32, zeros } from "../mp4/box-writer.ts";
import { Bits } from "./bits.ts";
import { type Colour, colourBox } from "./colour.ts";
import { elementaryStream } from "./elementary-stream.ts";
import type { MatroskaTrack } from "./tracks.ts";

const unspecified: Colour = { primaries: 2, transfer: 2, matrix: 2, isFullRange: false };
const minAvcConfiguration = 7;
const minHevcConfiguration = 23;
const minAv1Configuration = 4;
/** NAL unit type of a sequence parameter set of H.265. */
const hevcSps = 33;
const objectTypes: readonly (readonly [codecId: string, objectType: number])[] = [
  ["V_MPEG4/ISO/", 0x20],
  ["V_MPEG2", 0x61],
  ["V_MPEG1", 0x6a],
];

/**
 * The sample entry (ISO/IEC 14496-12 section 8.5.2) of a picture track; null when there is none for it, or when it
 * cannot be made from what the file tells. `firstFrame` is a key frame.
 */
export function videoEntry(track: MatroskaTrack, firstFrame: Uint8Array | null): Uint8Array | null {
  const configured = configurationOf(track, firstFrame);
  if (configured === null) return null;
  const { type, configuration } = configured;
  const [across, down] = track.pixelAspect;
  const aspect: Part[] = across === down ? [] : [box("pasp", u32(across), u32(down))];
  return box(type, visualFields(track), configuration, ...colourBox(track.colour), ...aspect, ...track.lightBoxes);
}

function configurationOf(
  track: MatroskaTrack,
  firstFrame: Uint8Array | null,
): { type: string; configuration: Uint8Array } | null {
  const { codec, codecPrivate } = track;
  if (codec === "h264") {
    const isConfiguration = codecPrivate.length >= minAvcConfiguration && codecPrivate[0] === 1;
    return isConfiguration ? { type: "avc1", configuration: box("avcC", codecPrivate) } : null;
  }
  if (codec === "h265") {
    if (codecPrivate.length < minHevcConfiguration) return null;
    return { type: hasParameterSets(codecPrivate) ? "hvc1" : "hev1", configuration: box("hvcC", codecPrivate) };
  }
  if (codec === "av1") {
    const isConfiguration = codecPrivate.length >= minAv1Configuration && codecPrivate[0] === 0x81;
    return isConfiguration ? { type: "av01", configuration: box("av1C", codecPrivate) } : null;
  }
  if (codec === "vp9") {
    const format = firstFrame && readVp9Format(firstFrame);
    return format && { type: "vp09", configuration: vpConfiguration(track, format) };
  }
  if (codec === "vp8") {
    const profile = ((firstFrame?.[0] ?? 0) >> 1) & 7;
    return {
      type: "vp08",
      configuration: vpConfiguration(track, { profile, bitDepth: 8, chroma: 1, isFullRange: false }),
    };
  }
  const objectType = objectTypes.find(([codecId]) => track.codecId.startsWith(codecId))?.[1];
  return objectType === undefined
    ? null
    : { type: "mp4v", configuration: elementaryStream(objectType, "video", codecPrivate) };
}

const visualFields = ({ width, height }: MatroskaTrack): number[] => [
  ...zeros(6),
  ...u16(1), // data_reference_index
  ...zeros(16),
  ...u16(width),
  ...u16(height),
  ...u32(0x480000), // 72 dots an inch
  ...u32(0x480000),
  ...zeros(4),
  ...u16(1), // frame_count
  ...zeros(32),
  ...u16(0x18),
  ...u16(0xffff),
];

/** Whether `hvcC` has them, so that the frames need not (`hvc1`; ISO/IEC 14496-15 section 8.4.1). */
function hasParameterSets(hvcC: Uint8Array): boolean {
  let at = minHevcConfiguration;
  for (let array = hvcC[at - 1] ?? 0; array > 0 && at + 3 <= hvcC.length; array--) {
    const count = (hvcC[at + 1] ?? 0) * 256 + (hvcC[at + 2] ?? 0);
    if (((hvcC[at] ?? 0) & 0x3f) === hevcSps && count > 0) return true;
    at += 3;
    for (let i = 0; i < count; i++) at += 2 + (hvcC[at] ?? 0) * 256 + (hvcC[at + 1] ?? 0);
  }
  return false;
}

/** What `vpcC` tells (VP Codec ISO Media File Format Binding). */
interface VpFormat {
  readonly profile: number;
  readonly bitDepth: number;
  /** 1: 4:2:0; 2: 4:2:2; 3: 4:4:4. */
  readonly chroma: number;
  readonly isFullRange: boolean;
}

const frameMarker = 2;
const syncCode = 0x498342;
const rgb = 7;

/** The uncompressed header of a key frame (VP9 bitstream specification section 6.2); null for another frame. */
function readVp9Format(frame: Uint8Array): VpFormat | null {
  const bits = new Bits(frame);
  if (bits.read(2) !== frameMarker) return null;
  const low = bits.read(1);
  const profile = low + 2 * bits.read(1);
  if (profile === 3) bits.skip(1);
  const isShownAgain = bits.flag();
  const isInter = bits.flag();
  bits.skip(2); // show_frame, error_resilient_mode
  if (isShownAgain || isInter || bits.read(24) !== syncCode) return null;
  const bitDepth = profile < 2 ? 8 : bits.flag() ? 12 : 10;
  const isRgb = bits.read(3) === rgb;
  const isFullRange = isRgb || bits.flag();
  if (profile % 2 === 0) return { profile, bitDepth, chroma: 1, isFullRange };
  const subsampled = isRgb ? [false, false] : [bits.flag(), bits.flag()];
  const chroma = subsampled[0] ? (subsampled[1] ? 1 : 2) : 3;
  return { profile, bitDepth, chroma, isFullRange };
}

/** Levels of VP9 by most luma samples a second and in a picture (VP9 levels, section 3). */
const vpLevels: readonly (readonly [level: number, rate: number, picture: number])[] = [
  [10, 829_440, 36_864],
  [11, 2_764_800, 73_728],
  [20, 4_608_000, 122_880],
  [21, 9_216_000, 245_760],
  [30, 20_736_000, 552_960],
  [31, 36_864_000, 983_040],
  [40, 83_558_400, 2_228_224],
  [41, 160_432_128, 2_228_224],
  [50, 311_951_360, 8_912_896],
  [51, 588_251_136, 8_912_896],
  [52, 1_176_502_272, 8_912_896],
  [60, 1_176_502_272, 35_651_584],
  [61, 2_353_004_544, 35_651_584],
];
const highestLevel = 62;

function vpConfiguration({ width, height, frameRate, colour }: MatroskaTrack, format: VpFormat): Uint8Array {
  const picture = width * height;
  const level = vpLevels.find(([, rate, size]) => picture <= size && picture * frameRate <= rate)?.[0] ?? highestLevel;
  const { primaries, transfer, matrix } = colour ?? unspecified;
  const depths =
    (format.bitDepth << 4) | (format.chroma << 1) | Number(format.isFullRange || colour?.isFullRange === true);
  return fullBox("vpcC", 1, 0, [format.profile, level, depths, primaries, transfer, matrix], u16(0));
}
