import { crc32 } from "node:zlib";
import { MediaError } from "../errors.ts";
import type { Box } from "./box.ts";
import { box, type Part, u16, u32, zeros } from "./box-writer.ts";
import { type CodecName, codecOf } from "./codecs.ts";
import { readAudioConfig, readStreamDescriptor } from "./descriptors.ts";

/** Sample entries of one track; nearly always one. */
const maxEntries = 64;
const maxEntryBytes = 2 ** 20;
const videoFieldsBytes = 78;
const audioFieldsBytes = 28;

/** A sample entry: the codec, and the entry's bytes in ISO form with the one data reference that our files have. */
export interface SampleEntry extends CodecName {
  readonly bytes: Uint8Array;
  readonly dataReferenceIndex: number;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly sampleRate: number;
}

/** Reads all entries of `stsd` (ISO/IEC 14496-12 section 8.5.2). */
export function readSampleEntries(stsd: Box, kind: "video" | "audio"): SampleEntry[] {
  const entries = stsd.children({ at: 8, lenient: true });
  if (entries.length === 0 || entries.length > maxEntries) {
    stsd.fail("wrong number of sample entries", { expected: `1 to ${maxEntries}`, got: entries.length });
  }
  const version = stsd.version;
  return entries.map((entry) => {
    if (entry.size > maxEntryBytes)
      entry.fail("the sample entry is too large", { expected: maxEntryBytes, got: entry.size });
    refuseEncryption(entry);
    return kind === "video" ? readVideoEntry(entry) : readAudioEntry(entry, version);
  });
}

/** For each sample entry the number (from 1) of the first one with the same bytes: they need no cut between them. */
export function firstOfSame(entries: readonly Uint8Array[]): number[] {
  const seen = new Map<string, number>();
  return entries.map((bytes, i) => {
    const key = `${bytes.length} ${crc32(bytes)}`;
    const first = seen.get(key) ?? i;
    if (first === i) seen.set(key, i);
    return Buffer.compare(entries[first] ?? bytes, bytes) === 0 ? first + 1 : i + 1;
  });
}

function refuseEncryption(entry: Box): void {
  if (!["encv", "enca", "drmi", "drms"].includes(entry.type)) return;
  throw new MediaError("unsupported", "The video is encrypted (DRM)", {
    box: entry.path,
    offset: entry.offset,
    expected: "a codec in the clear",
    got: entry.type,
  });
}

const rawType = (entry: Box) => String.fromCharCode(...entry.bytes.subarray(4, 8));

/** `raw ` is sound in one place and pictures in the other. */
function pictureCodec(type: string, boxes: readonly Box[]): CodecName {
  const name = codecOf(type, boxes);
  return name.codec === "pcm" ? { ...name, codec: "rawvideo" } : name;
}

function readVideoEntry(entry: Box): SampleEntry {
  entry.need(0, videoFieldsBytes);
  const boxes = entry.children({ at: videoFieldsBytes, lenient: true });
  const fields = entry.content.slice(0, videoFieldsBytes);
  fields.set(u16(1), 6);
  return {
    ...pictureCodec(rawType(entry), boxes),
    // Written anew without the zeros that QuickTime puts at the end.
    bytes: box(rawType(entry), fields, ...boxes.map((child) => child.bytes)),
    dataReferenceIndex: entry.u16(6),
    width: entry.u16(24),
    height: entry.u16(26),
    channels: 0,
    sampleRate: 0,
  };
}

interface AudioFields {
  readonly channels: number;
  readonly sampleRate: number;
  /** Where the boxes start. */
  readonly end: number;
}

/** The fields of an audio entry; QuickTime's versions 1 and 2 have more of them (QuickTime File Format, sound). */
function readAudioFields(entry: Box, stsdVersion: number): AudioFields {
  const version = stsdVersion === 0 ? entry.u16(8) : 0;
  const channels = entry.u16(16);
  const sampleRate = entry.u32(24) / 65536;
  if (version === 1) return { channels, sampleRate, end: audioFieldsBytes + 16 };
  if (version === 2)
    return { channels: entry.u32(40), sampleRate: Math.round(entry.f64(32)), end: audioFieldsBytes + 36 };
  return { channels, sampleRate, end: audioFieldsBytes };
}

function readAudioEntry(entry: Box, stsdVersion: number): SampleEntry {
  entry.need(0, audioFieldsBytes);
  const fields = readAudioFields(entry, stsdVersion);
  const outer = entry.children({ at: fields.end, lenient: true });
  const wave = outer.find((child) => child.type === "wave")?.children({ lenient: true }) ?? [];
  const boxes = [...outer, ...wave].filter((child) => !["wave", "frma", "chan", "mp4a"].includes(child.type));
  const type = rawType(entry);
  const isQuickTime = fields.end !== audioFieldsBytes;
  const heard = { ...fields, ...heardFormat(boxes, fields) };
  const isoFields: Part = isQuickTime
    ? [
        ...zeros(6),
        ...u16(1),
        ...zeros(8),
        ...u16(Math.min(heard.channels, 0xffff)),
        ...u16(16),
        ...zeros(4),
        ...rateField(heard),
      ]
    : withFirstReference(entry.content.slice(0, audioFieldsBytes));
  return {
    ...codecOf(type, boxes),
    bytes: box(type, isoFields, ...boxes.map((child) => child.bytes)),
    dataReferenceIndex: entry.u16(6),
    width: 0,
    height: 0,
    channels: heard.channels,
    sampleRate: Math.round(heard.sampleRate),
  };
}

const rateField = ({ sampleRate }: { sampleRate: number }) =>
  u32(sampleRate < 65536 ? Math.round(sampleRate) * 65536 : 0);

function withFirstReference(fields: Uint8Array): Uint8Array {
  fields.set(u16(1), 6);
  return fields;
}

/** Channels and rate from the codec's configuration, which knows better than the entry's fields. */
function heardFormat(boxes: readonly Box[], fields: AudioFields): { channels: number; sampleRate: number } {
  for (const child of boxes) {
    const found = formatReaders[child.type]?.(child);
    if (found)
      return { channels: found.channels || fields.channels, sampleRate: found.sampleRate || fields.sampleRate };
  }
  return fields;
}

const ac3Channels = [2, 1, 2, 3, 3, 4, 4, 5];
const ac3Rates = [48000, 44100, 32000, 0];

const formatReaders: Readonly<Record<string, (box: Box) => { channels: number; sampleRate: number } | null>> = {
  esds(esds) {
    const stream = readStreamDescriptor(esds);
    return stream?.objectType === 0x40 ? readAudioConfig(stream.specificInfo) : null;
  },
  // Opus is always decoded at 48 kHz.
  dOps: (dOps) => ({ channels: dOps.u8(1), sampleRate: 48000 }),
  dfLa(dfLa) {
    // METADATA_BLOCK_STREAMINFO: 20 bits of rate, 3 of channels less one.
    const bits = dfLa.u32(8 + 10);
    return { sampleRate: bits >>> 12, channels: ((bits >>> 9) & 7) + 1 };
  },
  dac3(dac3) {
    const bits = dac3.u16(0);
    return { sampleRate: ac3Rates[bits >> 14] ?? 0, channels: (ac3Channels[(bits >> 3) & 7] ?? 2) + ((bits >> 2) & 1) };
  },
  dec3(dec3) {
    const bits = dec3.u16(2) * 256 + dec3.u8(4);
    return { sampleRate: ac3Rates[bits >> 22] ?? 0, channels: (ac3Channels[(bits >> 9) & 7] ?? 2) + ((bits >> 8) & 1) };
  },
  alac: (alac) => (alac.size < 28 ? null : { channels: alac.u8(13), sampleRate: alac.u32(24) }),
};
