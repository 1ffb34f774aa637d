import { MediaError } from "../errors.ts";
import { Box } from "../mp4/box.ts";
import { readStreamDescriptor } from "../mp4/descriptors.ts";

/** What a decoder of H.264 or H.265 must know (ISO/IEC 14496-15), from `avcC` or `hvcC`. */
export interface NalConfig {
  /** Bytes of the length before each NAL unit: 1, 2, 4. */
  readonly lengthBytes: number;
  /** The parameter sets in the order that decoders want them; none where the samples carry them. */
  readonly vps: readonly Uint8Array[];
  readonly sps: readonly Uint8Array[];
  readonly pps: readonly Uint8Array[];
  /** `profile_idc`, constraints and `level_idc` of H.264 in hex. */
  readonly profileLevel: string;
}

/** What a decoder of Opus must know. */
export interface OpusConfig {
  readonly channels: number;
  readonly mappingFamily: number;
}

const boxHeaderBytes = 8;
const videoFieldsBytes = 78;
const audioFieldsBytes = 28;
/** Array types of `hvcC`. */
const hevcTypes = { vps: 32, sps: 33, pps: 34 };
/** Real streams have one or two of each. */
const maxSets = 64;

/** The configuration of a sample entry; null when it has none or a damaged one. */
export function h264Config(entry: Uint8Array): NalConfig | null {
  return readConfig(entry, videoFieldsBytes, "avcC", (avcC) => {
    const sps = readSets(avcC, 6, avcC.u8(5) & 0x1f);
    const pps = readSets(avcC, sps.end + 1, avcC.u8(sps.end));
    const profileLevel = [avcC.u8(1), avcC.u8(2), avcC.u8(3)].map((byte) => byte.toString(16).padStart(2, "0"));
    return {
      lengthBytes: (avcC.u8(4) & 3) + 1,
      ...{ vps: [], sps: sps.sets, pps: pps.sets },
      profileLevel: profileLevel.join("").toUpperCase(),
    };
  });
}

/** The same of H.265. */
export function h265Config(entry: Uint8Array): NalConfig | null {
  return readConfig(entry, videoFieldsBytes, "hvcC", (hvcC) => {
    const found = new Map<number, Uint8Array[]>();
    let at = 23;
    for (let array = hvcC.u8(22); array > 0; array--) {
      const type = hvcC.u8(at) & 0x3f;
      const { sets, end } = readSets(hvcC, at + 3, hvcC.u16(at + 1));
      found.set(type, [...(found.get(type) ?? []), ...sets]);
      at = end;
    }
    const all = (type: number) => found.get(type) ?? [];
    return {
      lengthBytes: (hvcC.u8(21) & 3) + 1,
      ...{ vps: all(hevcTypes.vps), sps: all(hevcTypes.sps), pps: all(hevcTypes.pps), profileLevel: "" },
    };
  });
}

/** The AudioSpecificConfig (ISO/IEC 14496-3 section 1.6.2.1) of a sample entry; null when it has none. */
export function aacConfig(entry: Uint8Array): Uint8Array | null {
  return readConfig(entry, audioFieldsBytes, "esds", (esds) => {
    const info = readStreamDescriptor(esds)?.specificInfo;
    return info === undefined || info.length < 2 ? null : info;
  });
}

export function opusConfig(entry: Uint8Array): OpusConfig | null {
  return readConfig(entry, audioFieldsBytes, "dOps", (dOps) => ({
    channels: dOps.u8(1),
    mappingFamily: dOps.u8(10),
  }));
}

function readConfig<T>(entry: Uint8Array, fieldsBytes: number, type: string, read: (box: Box) => T | null): T | null {
  try {
    const boxes = new Box("stsd/entry", entry.subarray(boxHeaderBytes), 0).children({ at: fieldsBytes, lenient: true });
    const found = boxes.find((box) => box.type === type);
    return found ? read(found) : null;
  } catch (error) {
    if (error instanceof MediaError) return null;
    throw error;
  }
}

/** Parameter sets after their lengths in two bytes. */
function readSets(box: Box, from: number, count: number): { sets: Uint8Array[]; end: number } {
  if (count > maxSets) box.fail("too many parameter sets", { expected: maxSets, got: count });
  const sets: Uint8Array[] = [];
  let at = from;
  for (let i = 0; i < count; i++) {
    const length = box.u16(at);
    box.need(at + 2, length);
    if (length > 0) sets.push(box.content.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return { sets, end: at };
}
