import type { NalRole, VideoSyntax } from "./access-units.ts";
import { BitReader, orNullAtEnd } from "./bit-reader.ts";
import { ParameterSets } from "./parameter-sets.ts";
import { cropped, isPictureSize, type PictureFormat, readSharedUsage, readTick, readUsage } from "./picture-format.ts";

const nal = {
  firstKey: 16,
  lastKey: 23,
  lastVcl: 31,
  vps: 32,
  sps: 33,
  pps: 34,
  delimiter: 35,
  prefixSei: 39,
} as const;
const headerBytes = 2;
const maxSetId = 15;
const maxPictureSetId = 63;
const maxShortSets = 64;
const maxLongPictures = 32;
const maxSubLayers = 7;

/** A sequence parameter set of H.265. */
export interface HevcSequenceSet extends PictureFormat {
  readonly id: number;
  /** The twelve bytes of `profile_tier_level` from `general_profile_space` to `general_level_idc`. */
  readonly profileTierLevel: Uint8Array;
  readonly temporalLayers: number;
  readonly isTemporalNested: boolean;
}

/** Reads a sequence parameter set; null when it is damaged or says what cannot be. ITU-T H.265 section 7.3.2.2. */
export function readHevcSequenceSet(unit: Uint8Array): HevcSequenceSet | null {
  return orNullAtEnd(() => {
    const bits = BitReader.ofNalUnit(unit, headerBytes);
    bits.skip(4); // sps_video_parameter_set_id
    const subLayers = bits.bits(3);
    const isTemporalNested = bits.flag();
    const profileTierLevel = readProfile(bits, subLayers);
    const id = bits.ue();
    const chromaFormat = bits.ue();
    if (id > maxSetId || chromaFormat > 3 || subLayers >= maxSubLayers) return null;
    const separatePlanes = chromaFormat === 3 && bits.flag();
    const coded = { width: bits.ue(), height: bits.ue() };
    const crop = bits.flag() ? [bits.ue(), bits.ue(), bits.ue(), bits.ue()] : [];
    const subsampled = !separatePlanes && (chromaFormat === 1 || chromaFormat === 2);
    const size = cropped(coded, crop, { x: subsampled ? 2 : 1, y: subsampled && chromaFormat === 1 ? 2 : 1 });
    if (!isPictureSize(size.width, size.height)) return null;
    const lumaDepth = bits.ue() + 8;
    const chromaDepth = bits.ue() + 8;
    const usage = readUsage(() => readHevcUsage(bits, subLayers));
    const temporalLayers = subLayers + 1;
    return {
      id,
      profileTierLevel,
      temporalLayers,
      isTemporalNested,
      chromaFormat,
      lumaDepth,
      chromaDepth,
      ...size,
      usage,
    };
  });
}

function readProfile(bits: BitReader, subLayers: number): Uint8Array {
  const general = Uint8Array.from({ length: 12 }, () => bits.bits(8));
  const present = Array.from({ length: subLayers }, () => ({ profile: bits.flag(), level: bits.flag() }));
  if (subLayers > 0) bits.skip((8 - subLayers) * 2);
  for (const { profile, level } of present) bits.skip((profile ? 88 : 0) + (level ? 8 : 0));
  return general;
}

/** From `log2_max_pic_order_cnt_lsb_minus4` to the timing in `vui_parameters`. */
function readHevcUsage(bits: BitReader, subLayers: number) {
  const orderBits = bits.ue() + 4;
  const layers = bits.flag() ? subLayers + 1 : 1;
  for (let i = 0; i < layers * 3; i++) bits.ue(); // buffering, reordering, latency
  for (let i = 0; i < 6; i++) bits.ue(); // block sizes
  if (bits.flag() && bits.flag()) skipScalingLists(bits);
  bits.skip(2); // amp_enabled_flag, sample_adaptive_offset_enabled_flag
  if (bits.flag()) {
    bits.skip(8); // bit depths of PCM
    bits.ue();
    bits.ue();
    bits.skip(1);
  }
  skipShortSets(bits);
  if (bits.flag()) {
    const count = Math.min(bits.ue(), maxLongPictures);
    bits.skip(count * (Math.min(orderBits, 16) + 1));
  }
  bits.skip(2); // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
  if (!bits.flag()) return { aspect: null, colour: null, tickSeconds: null };
  const shared = readSharedUsage(bits);
  bits.skip(3); // neutral_chroma_indication_flag, field_seq_flag, frame_field_info_present_flag
  if (bits.flag()) for (let i = 0; i < 4; i++) bits.ue(); // default display window
  return { ...shared, tickSeconds: bits.flag() ? readTick(bits) : null };
}

/** `scaling_list_data`, section 7.3.4. */
function skipScalingLists(bits: BitReader): void {
  for (let size = 0; size < 4; size++) {
    for (let matrix = 0; matrix < 6; matrix += size === 3 ? 3 : 1) {
      if (!bits.flag()) {
        bits.ue(); // scaling_list_pred_matrix_id_delta
        continue;
      }
      const coefficients = Math.min(64, 1 << (4 + (size << 1)));
      if (size > 1) bits.se(); // scaling_list_dc_coef_minus8
      for (let i = 0; i < coefficients; i++) bits.se();
    }
  }
}

/** All `st_ref_pic_set`, section 7.3.7. */
function skipShortSets(bits: BitReader): void {
  const count = Math.min(bits.ue(), maxShortSets);
  let pictures = 0;
  for (let set = 0; set < count; set++) {
    if (set > 0 && bits.flag()) {
      bits.skip(1); // delta_rps_sign
      bits.ue(); // abs_delta_rps_minus1
      let kept = 0;
      for (let i = 0; i <= pictures; i++) {
        const isUsed = bits.flag();
        if (isUsed || bits.flag()) kept++;
      }
      pictures = kept;
      continue;
    }
    const negative = bits.ue();
    const positive = bits.ue();
    pictures = negative + positive;
    if (pictures > maxShortSets) bits.skip(bits.bitsLeft + 1);
    for (let i = 0; i < pictures; i++) {
      bits.ue(); // delta_poc_minus1
      bits.skip(1); // used_by_curr_pic_flag
    }
  }
}

/** Tells the access units of an H.265 stream apart (ITU-T H.265 section 7.4.2.4.4) and keeps its parameter sets. */
export class H265Syntax implements VideoSyntax {
  readonly keepsZero = true;
  readonly sets = new ParameterSets();
  format: HevcSequenceSet | null = null;

  get isReady(): boolean {
    return this.format !== null && this.sets.has("pps");
  }

  roleOf(unit: Uint8Array): NalRole {
    const type = ((unit[0] ?? 0) >> 1) & 0x3f;
    const layer = (((unit[0] ?? 0) & 1) << 5) | ((unit[1] ?? 0) >> 3);
    const none = { startsUnit: false, isSlice: false, startsPicture: false, isKey: false, isIntra: false, field: null };
    // Further layers (scalable, multiview) follow the base layer's picture.
    if (layer > 0) return none;
    if (type <= nal.lastVcl) {
      const isKey = type >= nal.firstKey && type <= nal.lastKey;
      return { ...none, isSlice: true, startsPicture: ((unit[2] ?? 0) & 0x80) !== 0, isKey, isIntra: isKey };
    }
    if (type === nal.vps) this.sets.add("vps", (unit[2] ?? 0) >> 4, unit);
    if (type === nal.sps) this.#addSequence(unit);
    if (type === nal.pps) this.#addPicture(unit);
    const isReserved = (type >= 41 && type <= 44) || (type >= 48 && type <= 55);
    return { ...none, startsUnit: (type >= nal.vps && type <= nal.delimiter) || type === nal.prefixSei || isReserved };
  }

  #addSequence(unit: Uint8Array): void {
    const sequence = readHevcSequenceSet(unit);
    if (sequence === null) return;
    this.sets.add("sps", sequence.id, unit);
    this.format ??= sequence;
  }

  #addPicture(unit: Uint8Array): void {
    const id = orNullAtEnd(() => BitReader.ofNalUnit(unit.subarray(0, 16), headerBytes).ue());
    if (id !== null && id <= maxPictureSetId) this.sets.add("pps", id, unit);
  }
}
