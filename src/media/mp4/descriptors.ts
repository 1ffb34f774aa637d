import type { Box } from "./box.ts";

const esDescriptor = 3;
const decoderConfig = 4;
const decoderSpecificInfo = 5;
const maxDescriptors = 64;

/** What `esds` says of a stream (ISO/IEC 14496-1 section 7.2.6). */
export interface StreamDescriptor {
  /** `objectTypeIndication`: 0x40 is MPEG-4 audio. */
  readonly objectType: number;
  /** `DecoderSpecificInfo`: for AAC the AudioSpecificConfig. */
  readonly specificInfo: Uint8Array;
}

/** Reads `esds`; null when it holds no decoder configuration. */
export function readStreamDescriptor(esds: Box): StreamDescriptor | null {
  let at = 4;
  let objectType: number | null = null;
  for (let i = 0; i < maxDescriptors && at + 2 <= esds.size; i++) {
    const tag = esds.u8(at++);
    let length = 0;
    for (let byte = 0x80, n = 0; byte & 0x80 && n < 4 && at < esds.size; n++) {
      byte = esds.u8(at++);
      length = (length << 7) | (byte & 0x7f);
    }
    if (tag === esDescriptor) {
      const flags = esds.u8(at + 2);
      at += 3 + (flags & 0x80 ? 2 : 0);
      if (flags & 0x40) at += 1 + esds.u8(at);
      at += flags & 0x20 ? 2 : 0;
    } else if (tag === decoderConfig) {
      objectType = esds.u8(at);
      at += 13;
    } else if (tag === decoderSpecificInfo && objectType !== null) {
      esds.need(at, length);
      return { objectType, specificInfo: esds.content.subarray(at, at + length) };
    } else {
      at += length;
    }
  }
  return objectType === null ? null : { objectType, specificInfo: new Uint8Array(0) };
}

export const aacRates = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];
const aacChannels = [0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 0, 8];

/** What an AudioSpecificConfig says (ISO/IEC 14496-3 section 1.6.2.1); 0 where it does not. */
export interface AudioConfig {
  readonly objectType: number;
  readonly sampleRate: number;
  readonly channels: number;
}

export function readAudioConfig(bytes: Uint8Array): AudioConfig | null {
  if (bytes.length < 2) return null;
  let bit = 0;
  const read = (count: number) => {
    let value = 0;
    for (let i = 0; i < count; i++, bit++) value = value * 2 + (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1);
    return value;
  };
  const readObjectType = () => {
    const type = read(5);
    return type === 31 ? 32 + read(6) : type;
  };
  const readRate = () => {
    const index = read(4);
    return index === 15 ? read(24) : (aacRates[index] ?? 0);
  };
  const objectType = readObjectType();
  const coreRate = readRate();
  const channels = aacChannels[read(4)] ?? 0;
  // 5 and 29 are SBR and PS made explicit: the rate that is heard follows.
  const sampleRate = objectType === 5 || objectType === 29 ? readRate() : coreRate;
  return { objectType, sampleRate, channels: objectType === 29 && channels === 1 ? 2 : channels };
}
