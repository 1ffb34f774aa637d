import { box, fourCc, type Part, u16, u32 } from "../mp4/box-writer.ts";
import { childOf, childrenOf, type Element, float, unsigned } from "./ebml.ts";
import { ids } from "./ids.ts";

/** Code points of ISO/IEC 23091-2, as `colr` has them. */
export interface Colour {
  readonly primaries: number;
  readonly transfer: number;
  readonly matrix: number;
  readonly isFullRange: boolean;
}

/** Most bytes of a Dolby Vision configuration; they are 24. */
const maxDolbyBytes = 256;
const dolbyTypes = new Set(["dvcC", "dvvC", "dvwC"]);
/** Steps of `mdcv` in one: chromaticity, luminance (ISO/IEC 23001-8; SMPTE ST 2086). */
const steps = { chromaticity: 50_000, luminance: 10_000 };

/** 2 is "unspecified" in each list of code points, and `Range` 2 is full. */
export function readColour(colour: Element | null): Colour | null {
  if (colour === null) return null;
  const code = (id: number) => unsigned(childOf(colour, id), 2) & 0xff;
  const found = {
    primaries: code(ids.primaries),
    transfer: code(ids.transferCharacteristics),
    matrix: code(ids.matrixCoefficients),
    isFullRange: unsigned(childOf(colour, ids.range), 0) === 2,
  };
  return found.primaries === 2 && found.transfer === 2 && found.matrix === 2 ? null : found;
}

/** What a sample entry tells of the display and of Dolby Vision: `mdcv`, `clli`, `dvcC`, as far as the track does. */
export function lightBoxes(entry: Element, colour: Element | null): Uint8Array[] {
  const light = colour === null ? [] : [...masteringDisplay(colour), ...lightLevel(colour)];
  return [...light, ...dolbyVision(entry)];
}

function masteringDisplay(colour: Element): Uint8Array[] {
  const metadata = childOf(colour, ids.masteringMetadata);
  if (metadata === null) return [];
  const scaled = (id: number, step: number) => Math.round(float(childOf(metadata, id), Number.NaN) * step);
  const { greenX, greenY, blueX, blueY, redX, redY, whiteX, whiteY } = ids;
  const places = [greenX, greenY, blueX, blueY, redX, redY, whiteX, whiteY].map((id) => scaled(id, steps.chromaticity));
  const light = [ids.luminanceMax, ids.luminanceMin].map((id) => scaled(id, steps.luminance));
  const fits = places.every((value) => value >= 0 && value < 2 ** 16) && light.every((x) => x >= 0 && x < 2 ** 32);
  return fits ? [box("mdcv", ...places.map(u16), ...light.map(u32))] : [];
}

function lightLevel(colour: Element): Uint8Array[] {
  const [most, average] = [ids.maxCll, ids.maxFall].map((id) => unsigned(childOf(colour, id), 0));
  const isTold = most !== undefined && average !== undefined && most > 0 && most < 2 ** 16 && average < 2 ** 16;
  return isTold ? [box("clli", u16(most), u16(average))] : [];
}

/** The type of such a mapping is the four characters of its box. */
function dolbyVision(entry: Element): Uint8Array[] {
  for (const mapping of childrenOf(entry)) {
    if (mapping.id !== ids.blockAdditionMapping) continue;
    const type = String.fromCharCode(...u32(unsigned(childOf(mapping, ids.blockAddIdType), 0)));
    const data = childOf(mapping, ids.blockAddIdExtraData)?.content;
    if (dolbyTypes.has(type) && data && data.length <= maxDolbyBytes) return [box(type, data.slice())];
  }
  return [];
}

/** `colr` with code points, where they are known. */
export const colourBox = (colour: Colour | null): Part[] => {
  if (colour === null) return [];
  const { primaries, transfer, matrix, isFullRange } = colour;
  return [box("colr", fourCc("nclx"), u16(primaries), u16(transfer), u16(matrix), [isFullRange ? 0x80 : 0])];
};
