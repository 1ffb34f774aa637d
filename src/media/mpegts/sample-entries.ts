import { box, fourCc, fullBox, type Part, u16, u32, zeros } from "../mp4/box-writer.ts";
import type { SequenceSet } from "./h264.ts";
import type { HevcSequenceSet } from "./h265.ts";
import type { ParameterSets } from "./parameter-sets.ts";
import type { PictureFormat } from "./picture-format.ts";

/** A video sample entry, with the RFC 6381 string of what is in it. */
export interface VideoEntry {
  readonly entry: Uint8Array;
  readonly codecString: string;
}

const hex = (value: number) => value.toString(16).padStart(2, "0");
const maxSequenceSets = 31;
const maxPictureSets = 255;

/** The entry of an H.264 stream: `avc3` when its parameter sets change on the way. ISO/IEC 14496-15 section 5.3.3.1. */
export function avcEntry(sets: ParameterSets, format: SequenceSet): VideoEntry {
  const sequences = sets.all("sps").slice(0, maxSequenceSets);
  const pictures = sets.all("pps").slice(0, maxPictureSets);
  const [profile = 0, constraints = 0, level = 0] = [...(sequences[0] ?? [])].slice(1);
  const high = [0xfc | format.chromaFormat, 0xf8 | (format.lumaDepth - 8), 0xf8 | (format.chromaDepth - 8), 0];
  const config = box(
    "avcC",
    [1, profile, constraints, level, 0xff, 0xe0 | sequences.length],
    ...sequences.flatMap(withLength),
    [pictures.length],
    ...pictures.flatMap(withLength),
    format.isHigh ? high : [],
  );
  const type = sets.hasChanged ? "avc3" : "avc1";
  const codecString = `${type}.${hex(profile)}${hex(constraints)}${hex(level)}`;
  return { entry: pictureEntry(type, format, config), codecString };
}

const hevcNalTypes = { vps: 32, sps: 33, pps: 34 } as const;

/** The entry of an H.265 stream: `hev1` when its parameter sets change on the way. Section 8.3.3.1. */
export function hevcEntry(sets: ParameterSets, format: HevcSequenceSet): VideoEntry {
  const isComplete = sets.hasChanged ? 0 : 0x80;
  const arrays = (["vps", "sps", "pps"] as const).map((kind) => {
    const all = sets.all(kind).slice(0, maxPictureSets);
    return [
      isComplete | hevcNalTypes[kind],
      ...u16(all.length),
      ...all.flatMap(withLength).flatMap((part) => [...part]),
    ];
  });
  const config = box(
    "hvcC",
    [1],
    format.profileTierLevel,
    u16(0xf000), // min_spatial_segmentation_idc: not known
    [0xfc], // parallelismType: not known
    [0xfc | format.chromaFormat, 0xf8 | (format.lumaDepth - 8), 0xf8 | (format.chromaDepth - 8)],
    u16(0), // avgFrameRate: not told
    [(format.temporalLayers << 3) | (format.isTemporalNested ? 4 : 0) | 3],
    [arrays.length],
    ...arrays,
  );
  const type = sets.hasChanged ? "hev1" : "hvc1";
  return { entry: pictureEntry(type, format, config), codecString: `${type}.${hevcProfile(format.profileTierLevel)}` };
}

/** Annex E.3. */
function hevcProfile(general: Uint8Array): string {
  const [first = 0, ...rest] = general;
  const compatibility = rest.slice(0, 4).reduce((flags, byte) => flags * 256 + byte, 0);
  let mirrored = 0;
  for (let i = 0; i < 32; i++) mirrored = mirrored * 2 + (Math.floor(compatibility / 2 ** i) & 1);
  const constraints = rest.slice(4, 10);
  while (constraints.at(-1) === 0) constraints.pop();
  return [
    `${["", "A", "B", "C"][first >> 6] ?? ""}${first & 0x1f}`,
    mirrored.toString(16).toUpperCase(),
    `${first & 0x20 ? "H" : "L"}${rest[10] ?? 0}`,
    ...constraints.map((byte) => byte.toString(16).toUpperCase()),
  ].join(".");
}

const withLength = (set: Uint8Array): Part[] => [u16(set.length), set];

/** `VisualSampleEntry`, ISO/IEC 14496-12 section 12.1.3. */
function pictureEntry(type: string, { width, height, usage }: PictureFormat, config: Uint8Array): Uint8Array {
  const { aspect, colour } = usage;
  return box(
    type,
    zeros(6),
    u16(1), // data_reference_index
    zeros(16),
    u16(width),
    u16(height),
    u32(0x480000), // 72 dpi
    u32(0x480000),
    zeros(4),
    u16(1), // frame_count
    zeros(32), // compressorname
    u16(0x18), // depth
    u16(0xffff),
    config,
    ...(colour === null
      ? []
      : [
          box(
            "colr",
            fourCc("nclx"),
            [...u16(colour.primaries), ...u16(colour.transfer), ...u16(colour.matrix)],
            [colour.isFullRange ? 0x80 : 0],
          ),
        ]),
    ...(aspect === null || aspect.width === aspect.height ? [] : [box("pasp", u32(aspect.width), u32(aspect.height))]),
  );
}

interface SoundFormat {
  readonly channels: number;
  readonly sampleRate: number;
}

/** `AudioSampleEntry`, section 12.2.3. */
export function soundEntry(type: string, { channels, sampleRate }: SoundFormat, config: Uint8Array): Uint8Array {
  const rate = sampleRate < 65536 ? Math.round(sampleRate) * 65536 : 0;
  return box(type, zeros(6), u16(1), zeros(8), u16(channels), u16(16), zeros(4), u32(rate), config);
}

/** An `mp4a` entry; `config` is the decoder's own, empty for none. ISO/IEC 14496-1 section 7.2.6. */
export function mpegAudioEntry(
  format: SoundFormat & { readonly objectType: number; readonly config: readonly number[] },
): Uint8Array {
  const { objectType, config } = format;
  const audioStream = 0x15;
  const specific = config.length === 0 ? [] : descriptor(5, [...config]);
  const decoder = descriptor(4, [objectType, audioStream, ...zeros(11), ...specific]);
  const stream = descriptor(3, [...u16(0), 0, ...decoder, ...descriptor(6, [2])]);
  return soundEntry("mp4a", format, fullBox("esds", 0, 0, stream));
}

/** Content of less than 128 bytes. */
const descriptor = (tag: number, content: number[]) => [tag, content.length, ...content];

/** Opus in ISOBMFF section 4.3.2; one or two channels. */
export function opusEntry(channels: number, sampleRate: number): Uint8Array {
  const config = box("dOps", [0, channels], u16(0), u32(sampleRate), u16(0), [0]);
  return soundEntry("Opus", { channels, sampleRate }, config);
}
