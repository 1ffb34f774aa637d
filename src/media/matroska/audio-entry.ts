import { box, fullBox, u16, u32, zeros } from "../mp4/box-writer.ts";
import { readAudioConfig } from "../mp4/descriptors.ts";
import { Bits, packBits } from "./bits.ts";
import { elementaryStream } from "./elementary-stream.ts";
import type { MatroskaTrack } from "./tracks.ts";

/** A sample entry of sound, and how long a frame is in seconds; 0 when frames differ or do not tell. */
export interface AudioEntry {
  readonly bytes: Uint8Array;
  readonly frameSeconds: number;
}

type Build = (track: MatroskaTrack, firstFrame: Uint8Array | null) => AudioEntry | null;

/**
 * The sample entry of a sound track; null when there is none for it, or when it cannot be made from what the file
 * tells.
 */
export const audioEntry: Build = (track, firstFrame) => builders[track.codec]?.(track, firstFrame) ?? null;

const builders: Readonly<Record<string, Build>> = {
  aac: aacEntry,
  opus: opusEntry,
  flac: flacEntry,
  mp3: mp3Entry,
  ac3: ac3Entry,
  eac3: eac3Entry,
  alac: (track) =>
    track.codecPrivate.length === alacConfigurationBytes
      ? { bytes: entry("alac", track, fullBox("alac", 0, 0, track.codecPrivate)), frameSeconds: 0 }
      : null,
};

const alacConfigurationBytes = 24;

function entry(
  type: string,
  { channels, sampleRate }: Pick<MatroskaTrack, "channels" | "sampleRate">,
  child: Uint8Array,
) {
  return box(
    type,
    zeros(6),
    u16(1), // data_reference_index
    zeros(8),
    u16(channels),
    u16(16),
    zeros(4),
    u32(sampleRate < 65536 ? sampleRate * 65536 : 0),
    child,
  );
}

const aacObjectType = 0x40;
const samplesOfAac = 1024;
const aacRates = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];
const aacProfiles: Readonly<Record<string, number>> = { MAIN: 1, LC: 2, SSR: 3, LTP: 4 };

function aacEntry(track: MatroskaTrack): AudioEntry | null {
  const config = track.codecPrivate.length >= 2 ? track.codecPrivate : aacConfiguration(track);
  const told = config && readAudioConfig(config);
  if (config === null || !told?.sampleRate) return null;
  const isDoubled = told.objectType === 5 || told.objectType === 29;
  return {
    bytes: entry("mp4a", track, elementaryStream(aacObjectType, "audio", config)),
    frameSeconds: (samplesOfAac * (isDoubled ? 2 : 1)) / told.sampleRate,
  };
}

/** AudioSpecificConfig from an old codec id such as `A_AAC/MPEG4/LC`; null when it does not tell. */
function aacConfiguration({ codecId, sampleRate, channels }: MatroskaTrack): Uint8Array | null {
  const profile = aacProfiles[codecId.split("/")[2] ?? ""];
  const rate = aacRates.indexOf(codecId.endsWith("/SBR") ? sampleRate / 2 : sampleRate);
  if (profile === undefined || rate < 0) return null;
  return Uint8Array.from(packBits([profile, 5], [rate, 4], [channels === 8 ? 7 : channels, 4], [0, 3]));
}

const opusHeadBytes = 19;
const opusRate = 48000;

/** `dOps` (Encapsulation of Opus in ISO Base Media File Format section 4.3.2) has what `OpusHead` has, the other way round. */
function opusEntry(track: MatroskaTrack, firstFrame: Uint8Array | null): AudioEntry | null {
  const head = track.codecPrivate;
  const isHead = head.length >= opusHeadBytes && new TextDecoder().decode(head.subarray(0, 8)) === "OpusHead";
  const channels = isHead ? (head[9] ?? 0) : 0;
  const family = head[18] ?? 0;
  const mapping = family === 0 ? new Uint8Array(0) : head.subarray(opusHeadBytes, opusHeadBytes + 2 + channels);
  if (channels === 0 || (family !== 0 && mapping.length < 2 + channels)) return null;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const dOps = box(
    "dOps",
    [0, channels],
    u16(view.getUint16(10, true)),
    u32(view.getUint32(12, true)),
    u16(view.getUint16(16, true)),
    [family],
    mapping,
  );
  return { bytes: entry("Opus", { channels, sampleRate: opusRate }, dOps), frameSeconds: opusSeconds(firstFrame) };
}

/** How long an Opus packet is, by its first bytes (RFC 6716 section 3.1). */
function opusSeconds(packet: Uint8Array | null): number {
  const toc = packet?.[0];
  if (packet === null || toc === undefined) return 0;
  const mode = toc >> 3;
  const sizes = mode < 12 ? [10, 20, 40, 60] : mode < 16 ? [10, 20] : [2.5, 5, 10, 20];
  const milliseconds = sizes[mode % sizes.length] ?? 0;
  const code = toc & 3;
  const count = code === 0 ? 1 : code === 3 ? (packet[1] ?? 0) & 63 : 2;
  return (milliseconds * count) / 1000;
}

const streamInfoBytes = 34;
const lastBlock = 0x80;

/** `dfLa` with the `STREAMINFO` that follows "fLaC" in `CodecPrivate` (RFC 9559, RFC 9639). */
function flacEntry(track: MatroskaTrack): AudioEntry | null {
  const { codecPrivate } = track;
  const isFlac = new TextDecoder().decode(codecPrivate.subarray(0, 4)) === "fLaC";
  const at = isFlac ? 4 : 0;
  const info = codecPrivate.subarray(at + 4, at + 4 + streamInfoBytes);
  if (((codecPrivate[at] ?? 1) & 0x7f) !== 0 || info.length < streamInfoBytes) return null;
  const view = new DataView(info.buffer, info.byteOffset);
  const [smallest, largest] = [view.getUint16(0), view.getUint16(2)];
  const dfLa = fullBox("dfLa", 0, 0, [lastBlock, 0, 0, streamInfoBytes], info);
  return {
    bytes: entry("fLaC", track, dfLa),
    frameSeconds: smallest === largest && track.sampleRate > 0 ? largest / track.sampleRate : 0,
  };
}

const mpeg1Audio = 0x6b;
const mpeg2Audio = 0x69;
const lowestMpeg1Rate = 32000;

function mp3Entry(track: MatroskaTrack): AudioEntry | null {
  if (track.sampleRate <= 0) return null;
  const isFirst = track.sampleRate >= lowestMpeg1Rate;
  return {
    bytes: entry("mp4a", track, elementaryStream(isFirst ? mpeg1Audio : mpeg2Audio, "audio", [])),
    frameSeconds: (isFirst ? 1152 : 576) / track.sampleRate,
  };
}

const ac3Sync = 0x0b77;
const ac3Rates = [48000, 44100, 32000];
const samplesOfAc3 = 1536;
const maxAc3Version = 10;

/** `dac3` from the first frame (ETSI TS 102 366 sections 4.3 and F.4). */
function ac3Entry(track: MatroskaTrack, firstFrame: Uint8Array | null): AudioEntry | null {
  const bits = new Bits(firstFrame ?? new Uint8Array(0));
  if (bits.read(16) !== ac3Sync) return null;
  bits.skip(16); // crc1
  const rateCode = bits.read(2);
  const frameSizeCode = bits.read(6);
  const version = bits.read(5);
  const mode = bits.read(3);
  const channelMode = bits.read(3);
  if ((channelMode & 1) !== 0 && channelMode !== 1) bits.skip(2); // cmixlev
  if ((channelMode & 4) !== 0) bits.skip(2); // surmixlev
  if (channelMode === 2) bits.skip(2); // dsurmod
  const lowFrequency = bits.read(1);
  if (version > maxAc3Version || rateCode === 3) return null;
  const dac3 = packBits(
    [rateCode, 2],
    [version, 5],
    [mode, 3],
    [channelMode, 3],
    [lowFrequency, 1],
    [frameSizeCode >> 1, 5],
    [0, 5],
  );
  return { bytes: entry("ac-3", track, box("dac3", dac3)), frameSeconds: samplesOfAc3 / (ac3Rates[rateCode] ?? 48000) };
}

/** A synchronisation frame of E-AC-3 (ETSI TS 102 366 annex E). */
interface Eac3Frame {
  readonly isDependent: boolean;
  readonly bytes: number;
  readonly rateCode: number;
  readonly seconds: number;
  readonly channelMode: number;
  readonly lowFrequency: number;
  readonly version: number;
  /** Where the channels of a dependent one go, as `chan_loc` has it. */
  readonly locations: number;
}

function readEac3Frame(bytes: Uint8Array): Eac3Frame | null {
  const bits = new Bits(bytes);
  if (bits.read(16) !== ac3Sync) return null;
  const isDependent = bits.read(2) === 1;
  bits.skip(3); // substreamid
  const size = (bits.read(11) + 1) * 2;
  const rateCode = bits.read(2);
  const second = bits.read(2);
  const rate = rateCode === 3 ? (ac3Rates[second] ?? 0) / 2 : (ac3Rates[rateCode] ?? 0);
  const blocks = rateCode === 3 ? 6 : ([1, 2, 3, 6][second] ?? 6);
  const channelMode = bits.read(3);
  const lowFrequency = bits.read(1);
  const version = bits.read(5);
  if (version <= maxAc3Version || rate === 0) return null;
  for (let programme = 0; programme < (channelMode === 0 ? 2 : 1); programme++) {
    bits.skip(5); // dialnorm
    if (bits.flag()) bits.skip(8); // compr
  }
  const locations = isDependent && bits.flag() ? (bits.read(16) >> 5) & 0x1f : 0;
  const seconds = (blocks * 256) / rate;
  return { isDependent, bytes: size, rateCode, seconds, channelMode, lowFrequency, version, locations };
}

/** `dec3` from the first frame: one independent substream and those that depend on it (TS 102 366 section F.6). */
function eac3Entry(track: MatroskaTrack, firstFrame: Uint8Array | null): AudioEntry | null {
  const main = firstFrame && readEac3Frame(firstFrame);
  if (firstFrame === null || main === null) return null;
  let [total, dependents, locations] = [main.bytes, 0, 0];
  for (let next = readEac3Frame(firstFrame.subarray(total)); next?.isDependent; ) {
    total += next.bytes;
    dependents++;
    locations |= next.locations;
    next = readEac3Frame(firstFrame.subarray(total));
  }
  const dec3 = packBits(
    [Math.round((total * 8) / main.seconds / 1000), 13],
    [0, 3],
    [main.rateCode, 2],
    [main.version, 5],
    [0, 2],
    [0, 3],
    [main.channelMode, 3],
    [main.lowFrequency, 1],
    [0, 3],
    [dependents, 4],
    [locations, dependents > 0 ? 9 : 1],
  );
  return { bytes: entry("ec-3", track, box("dec3", dec3)), frameSeconds: main.seconds };
}
