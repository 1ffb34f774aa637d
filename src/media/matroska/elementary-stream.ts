import { fullBox, type Part, u16, zeros } from "../mp4/box-writer.ts";

const tags = { stream: 3, decoderConfig: 4, decoderSpecific: 5, synchronisation: 6 };
/** `streamType` with the bit that is always 1 after it. */
const streamTypes = { video: (4 << 2) | 1, audio: (5 << 2) | 1 };

/** `esds` (ISO/IEC 14496-14 section 5.6) of a stream with this `objectTypeIndication` and decoder configuration. */
export function elementaryStream(
  objectType: number,
  kind: "video" | "audio",
  specificInfo: Uint8Array | readonly number[],
): Uint8Array {
  const specific = specificInfo.length === 0 ? [] : descriptor(tags.decoderSpecific, [...specificInfo]);
  // Buffer size and bit rates are not known.
  const config = descriptor(tags.decoderConfig, [objectType, streamTypes[kind], ...zeros(11), ...specific]);
  const synchronisation = descriptor(tags.synchronisation, [2]);
  const content: Part = descriptor(tags.stream, [...u16(0), 0, ...config, ...synchronisation]);
  return fullBox("esds", 0, 0, content);
}

/** Tag, length in four bytes of seven bits, content. */
const descriptor = (tag: number, content: readonly number[]): number[] => [
  tag,
  0x80 | ((content.length >> 21) & 0x7f),
  0x80 | ((content.length >> 14) & 0x7f),
  0x80 | ((content.length >> 7) & 0x7f),
  content.length & 0x7f,
  ...content,
];
