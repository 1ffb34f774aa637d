import type { NalRole, VideoSyntax } from "./access-units.ts";
import { BitReader, orNullAtEnd } from "./bit-reader.ts";
import { ParameterSets } from "./parameter-sets.ts";
import { cropped, isPictureSize, type PictureFormat, readSharedUsage, readTick, readUsage } from "./picture-format.ts";

const nal = { slice: 1, partitionA: 2, idr: 5, sei: 6, sps: 7, pps: 8, delimiter: 9, lastVcl: 5 } as const;
/** Profiles whose sequence parameter sets tell chroma format and depth (ITU-T H.264 section 7.3.2.1.1). */
const highProfiles = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
const maxSetId = 31;
const maxPictureSetId = 255;
const maxSliceHeaderBytes = 32;
const recoveryPoint = 6;
/** `slice_type` of slices without prediction from other pictures: I and SI. */
const intraSlices = new Set([2, 4, 7, 9]);

/** A sequence parameter set of H.264. */
export interface SequenceSet extends PictureFormat {
  readonly id: number;
  readonly profile: number;
  readonly isHigh: boolean;
  /** Bits of `frame_num`. */
  readonly frameNumberBits: number;
  readonly separatePlanes: boolean;
  readonly framesOnly: boolean;
}

/** Reads a sequence parameter set; null when it is damaged or says what cannot be. ITU-T H.264 section 7.3.2.1. */
export function readSequenceSet(unit: Uint8Array): SequenceSet | null {
  return orNullAtEnd(() => {
    const bits = BitReader.ofNalUnit(unit, 1);
    const profile = bits.bits(8);
    bits.skip(16); // constraint flags, level_idc
    const id = bits.ue();
    const isHigh = highProfiles.has(profile);
    const chroma = isHigh ? readChroma(bits) : { chromaFormat: 1, separatePlanes: false, lumaDepth: 8, chromaDepth: 8 };
    const frameNumberBits = bits.ue() + 4;
    if (id > maxSetId || chroma.chromaFormat > 3 || frameNumberBits > 16 || !skipPictureOrder(bits)) return null;
    bits.ue(); // max_num_ref_frames
    bits.skip(1); // gaps_in_frame_num_value_allowed_flag
    const widthUnits = bits.ue() + 1;
    const heightUnits = bits.ue() + 1;
    const framesOnly = bits.flag();
    if (!framesOnly) bits.skip(1); // mb_adaptive_frame_field_flag
    bits.skip(1); // direct_8x8_inference_flag
    const crop = bits.flag() ? [bits.ue(), bits.ue(), bits.ue(), bits.ue()] : [];
    const fields = framesOnly ? 1 : 2;
    const size = cropped({ width: widthUnits * 16, height: heightUnits * 16 * fields }, crop, {
      x: chroma.chromaFormat === 1 || chroma.chromaFormat === 2 ? 2 : 1,
      y: (chroma.chromaFormat === 1 ? 2 : 1) * fields,
    });
    if (!isPictureSize(size.width, size.height)) return null;
    const usage = readUsage(() => {
      if (!bits.flag()) return { aspect: null, colour: null, tickSeconds: null };
      const shared = readSharedUsage(bits);
      return { ...shared, tickSeconds: bits.flag() ? readTick(bits) : null };
    });
    return { id, profile, isHigh, frameNumberBits, framesOnly, ...chroma, ...size, usage };
  });
}

function readChroma(bits: BitReader) {
  const chromaFormat = bits.ue();
  const separatePlanes = chromaFormat === 3 && bits.flag();
  const lumaDepth = bits.ue() + 8;
  const chromaDepth = bits.ue() + 8;
  bits.skip(1); // qpprime_y_zero_transform_bypass_flag
  if (bits.flag()) {
    for (let i = 0; i < (chromaFormat === 3 ? 12 : 8); i++) if (bits.flag()) skipScalingList(bits, i < 6 ? 16 : 64);
  }
  return { chromaFormat, separatePlanes, lumaDepth, chromaDepth };
}

function skipScalingList(bits: BitReader, size: number): void {
  let last = 8;
  for (let i = 0; i < size; i++) {
    const next = (last + bits.se() + 256) % 256;
    if (next === 0) return;
    last = next;
  }
}

/** `pic_order_cnt_type` and what belongs to it; false when it cannot be. */
function skipPictureOrder(bits: BitReader): boolean {
  const type = bits.ue();
  if (type === 0) bits.ue(); // log2_max_pic_order_cnt_lsb_minus4
  if (type === 1) {
    bits.skip(1); // delta_pic_order_always_zero_flag
    bits.se(); // offset_for_non_ref_pic
    bits.se(); // offset_for_top_to_bottom_field
    const count = bits.ue();
    if (count > 255) return false;
    for (let i = 0; i < count; i++) bits.se(); // offset_for_ref_frame
  }
  return type <= 2;
}

/** Tells the access units of an H.264 stream apart (ITU-T H.264 section 7.4.1.2.3) and keeps its parameter sets. */
export class H264Syntax implements VideoSyntax {
  readonly keepsZero = false;
  readonly sets = new ParameterSets();
  format: SequenceSet | null = null;
  readonly #sequences = new Map<number, SequenceSet>();
  /** The sequence parameter set that each picture parameter set refers to. */
  readonly #sequenceOf = new Map<number, number>();

  get isReady(): boolean {
    return this.format !== null && this.sets.has("pps");
  }

  roleOf(unit: Uint8Array): NalRole {
    const type = (unit[0] ?? 0) & 0x1f;
    if (type >= nal.slice && type <= nal.lastVcl) return this.#sliceRole(unit, type);
    if (type === nal.sps) this.#addSequence(unit);
    if (type === nal.pps) this.#addPicture(unit);
    // Not 14: it also stands before each slice of scalable streams.
    const startsUnit = (type >= nal.sei && type <= nal.delimiter) || (type >= 15 && type <= 18);
    return {
      startsUnit,
      isSlice: false,
      startsPicture: false,
      isIntra: false,
      field: null,
      isKey: isRecovery(unit, type),
    };
  }

  #sliceRole(unit: Uint8Array, type: number): NalRole {
    const isKey = type === nal.idr;
    const other = { startsUnit: false, isSlice: true, startsPicture: false, isIntra: isKey, isKey, field: null };
    // Partitions B and C belong to the slice before.
    if (type > nal.partitionA && type !== nal.idr) return other;
    const read = orNullAtEnd(() => {
      const bits = BitReader.ofNalUnit(unit.subarray(0, maxSliceHeaderBytes), 1);
      const startsPicture = bits.ue() === 0; // first_mb_in_slice
      const isIntra = intraSlices.has(bits.ue());
      return { ...other, startsPicture, isIntra, field: startsPicture ? this.#readField(bits) : null };
    });
    return read ?? other;
  }

  /** Which field of which frame a picture is; null for frames. */
  #readField(bits: BitReader): NalRole["field"] {
    const sequence = this.#sequences.get(this.#sequenceOf.get(bits.ue()) ?? -1);
    if (sequence === undefined || sequence.framesOnly) return null;
    if (sequence.separatePlanes) bits.skip(2); // colour_plane_id
    const frame = bits.bits(sequence.frameNumberBits);
    return bits.flag() ? { frame, isBottom: bits.flag() } : null;
  }

  #addSequence(unit: Uint8Array): void {
    const sequence = readSequenceSet(unit);
    if (sequence === null) return;
    this.sets.add("sps", sequence.id, unit);
    this.#sequences.set(sequence.id, sequence);
    this.format ??= sequence;
  }

  #addPicture(unit: Uint8Array): void {
    const ids = orNullAtEnd(() => {
      const bits = BitReader.ofNalUnit(unit.subarray(0, maxSliceHeaderBytes), 1);
      return { id: bits.ue(), sequence: bits.ue() };
    });
    if (ids === null || ids.id > maxPictureSetId || ids.sequence > maxSetId) return;
    this.sets.add("pps", ids.id, unit);
    this.#sequenceOf.set(ids.id, ids.sequence);
  }
}

/** Whether a SEI holds a recovery point: pictures from here on are right after a while (section D.2.8). */
function isRecovery(unit: Uint8Array, type: number): boolean {
  if (type !== nal.sei) return false;
  let at = 1;
  while (at + 2 < unit.length) {
    let kind = 0;
    let size = 0;
    while (unit[at] === 0xff) kind += unit[at++] ?? 0;
    kind += unit[at++] ?? 0;
    while (unit[at] === 0xff) size += unit[at++] ?? 0;
    size += unit[at++] ?? 0;
    if (kind === recoveryPoint) return true;
    at += size;
  }
  return false;
}
