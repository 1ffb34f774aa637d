import { box, u16, u32 } from "../mp4/box-writer.ts";
import { aacRates } from "../mp4/descriptors.ts";
import type { AudioFormat, AudioHeader, AudioSyntax } from "./audio-frames.ts";
import { mpegAudioEntry, opusEntry, soundEntry } from "./sample-entries.ts";

const byteAt = (bytes: Uint8Array, at: number) => bytes[at] ?? 0;

const aacChannels = [0, 1, 2, 3, 4, 5, 6, 8];
const aacDuration = 1024;
/** `objectTypeIndication` of MPEG-4 audio, of MPEG-1 and of MPEG-2 layers I to III. */
const objectTypes = { mpeg4: 0x40, mpeg1: 0x6b, mpeg2: 0x69 };

/** AAC in ADTS frames, whose headers are left out. ISO/IEC 13818-7 section 6.2. */
export const adts: AudioSyntax = {
  headerBytes: 7,
  unitDuration: 0,
  readHeader(bytes, at) {
    if (byteAt(bytes, at) !== 0xff || (byteAt(bytes, at + 1) & 0xf6) !== 0xf0) return null;
    const length = ((byteAt(bytes, at + 3) & 3) << 11) | (byteAt(bytes, at + 4) << 3) | (byteAt(bytes, at + 5) >> 5);
    const header = adtsHeaderBytes(bytes, at);
    const hasOneBlock = (byteAt(bytes, at + 6) & 3) === 0;
    if (length <= header || !hasOneBlock || rateIndexOf(bytes, at) >= aacRates.length) return null;
    return { bytes: length, size: length - header, duration: aacDuration, isAddition: false };
  },
  formatKey: (bytes, at) => ((byteAt(bytes, at + 2) & 0xfd) << 8) | (byteAt(bytes, at + 3) & 0xc0),
  formatOf(bytes, at) {
    const objectType = (byteAt(bytes, at + 2) >> 6) + 1;
    const rateIndex = rateIndexOf(bytes, at);
    const configuration = ((byteAt(bytes, at + 2) & 1) << 2) | (byteAt(bytes, at + 3) >> 6);
    const channels = aacChannels[configuration] ?? 0;
    // Channels described inside of the frames would have to be moved into the sample entry.
    if (channels === 0) return null;
    const sampleRate = aacRates[rateIndex] ?? 0;
    // AudioSpecificConfig, ISO/IEC 14496-3 section 1.6.2.1.
    const config = u16((objectType << 11) | (rateIndex << 7) | (configuration << 3));
    const entry = mpegAudioEntry({ objectType: objectTypes.mpeg4, config, channels, sampleRate });
    return { codec: "aac", codecString: `mp4a.40.${objectType}`, sampleRate, channels, entry };
  },
};

/** Bytes before the raw data of an ADTS frame: with a checksum unless `protection_absent`. */
export const adtsHeaderBytes = (bytes: Uint8Array, at: number) => (byteAt(bytes, at + 1) & 1 ? 7 : 9);
const rateIndexOf = (bytes: Uint8Array, at: number) => (byteAt(bytes, at + 2) >> 2) & 15;

/** kbit/s by MPEG version (1, or 2 and 2.5) and layer (I, II, III). ISO/IEC 11172-3 and 13818-3, section 2.4.2.3. */
const bitRates = {
  mpeg1: [
    [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  ],
  mpeg2: [
    [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  ],
} as const;
const mpegRates = [44100, 48000, 32000];
const layerNames = ["mp1", "mp2", "mp3"];

function readMpegHeader(bytes: Uint8Array, at: number) {
  const second = byteAt(bytes, at + 1);
  const third = byteAt(bytes, at + 2);
  if (byteAt(bytes, at) !== 0xff || (second & 0xe0) !== 0xe0) return null;
  const version = (second >> 3) & 3; // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
  const layer = 3 - ((second >> 1) & 3); // 0: I, 1: II, 2: III
  const isFirst = version === 3;
  const kbits = bitRates[isFirst ? "mpeg1" : "mpeg2"][layer]?.[(third >> 4) - 1];
  const rate = mpegRates[(third >> 2) & 3];
  if (version === 1 || kbits === undefined || rate === undefined) return null;
  const sampleRate = isFirst ? rate : version === 2 ? rate / 2 : rate / 4;
  const duration = layer === 0 ? 384 : layer === 2 && !isFirst ? 576 : 1152;
  const padding = (third >> 1) & 1;
  const bytesBefore = Math.floor(((layer === 0 ? duration / 32 : duration / 8) * kbits * 1000) / sampleRate);
  const length = layer === 0 ? (bytesBefore + padding) * 4 : bytesBefore + padding;
  return { length, duration, layer, isFirst, sampleRate, channels: byteAt(bytes, at + 3) >> 6 === 3 ? 1 : 2 };
}

/** MPEG audio, layers I to III. */
export const mpegAudio: AudioSyntax = {
  headerBytes: 4,
  unitDuration: 0,
  readHeader(bytes, at) {
    const header = readMpegHeader(bytes, at);
    return header && { bytes: header.length, size: header.length, duration: header.duration, isAddition: false };
  },
  formatKey: (bytes, at) =>
    (byteAt(bytes, at + 1) << 16) | ((byteAt(bytes, at + 2) & 0x0c) << 8) | (byteAt(bytes, at + 3) >> 6 === 3 ? 1 : 2),
  formatOf(bytes, at) {
    const header = readMpegHeader(bytes, at);
    if (header === null) return null;
    const { sampleRate, channels, layer, isFirst } = header;
    const objectType = isFirst ? objectTypes.mpeg1 : objectTypes.mpeg2;
    const entry = mpegAudioEntry({ objectType, config: [], channels, sampleRate });
    const codec = layerNames[layer] ?? "mp3";
    // MPEG-4's object types for the layers; hls.js knows MP3 by it.
    return { codec, codecString: `mp4a.40.${32 + layer}`, sampleRate, channels, entry };
  },
};

const dolbyRates = [48000, 44100, 32000];
const ac3KiloBits = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640];
const dolbyChannels = [2, 1, 2, 3, 3, 4, 4, 5];
const dolbyUnit = 1536;
const blockDuration = 256;
/** `bsid` above this one is E-AC-3. */
const lastAc3Bsid = 10;

const isDolbySync = (bytes: Uint8Array, at: number) => byteAt(bytes, at) === 0x0b && byteAt(bytes, at + 1) === 0x77;
const bsidOf = (bytes: Uint8Array, at: number) => byteAt(bytes, at + 5) >> 3;

/** AC-3 and E-AC-3, which tell themselves apart. ETSI TS 102 366. */
export const dolby: AudioSyntax = {
  headerBytes: 8,
  unitDuration: dolbyUnit,
  readHeader(bytes, at) {
    if (!isDolbySync(bytes, at)) return null;
    return bsidOf(bytes, at) <= lastAc3Bsid ? readAc3Header(bytes, at) : readEac3Header(bytes, at);
  },
  formatKey(bytes, at) {
    const head = (byteAt(bytes, at + 4) << 8) | byteAt(bytes, at + 5);
    // E-AC-3 has all in these two bytes; AC-3 has the mode in the next, and a bit of padding in the first.
    if (bsidOf(bytes, at) > lastAc3Bsid) return (head & 0xff_f8) | 0x100_0000;
    return ((head & 0xfe_ff) << 8) | byteAt(bytes, at + 6);
  },
  formatOf(bytes, at) {
    return bsidOf(bytes, at) <= lastAc3Bsid ? ac3Format(bytes, at) : eac3Format(bytes, at);
  },
};

function readAc3Header(bytes: Uint8Array, at: number): AudioHeader | null {
  const rate = dolbyRates[byteAt(bytes, at + 4) >> 6];
  const sizeCode = byteAt(bytes, at + 4) & 0x3f;
  const kbits = ac3KiloBits[sizeCode >> 1];
  if (rate === undefined || kbits === undefined) return null;
  const words = Math.floor((kbits * 1000 * dolbyUnit) / (rate * 16)) + (rate === 44100 ? sizeCode & 1 : 0);
  return { bytes: words * 2, size: words * 2, duration: dolbyUnit, isAddition: false };
}

function ac3Format(bytes: Uint8Array, at: number): AudioFormat {
  const bsid = bsidOf(bytes, at);
  const mode = byteAt(bytes, at + 6) >> 5;
  // The bit for the bass channel comes after mix levels that depend on the mode (section 4.3).
  const mixBits = (mode & 1 && mode !== 1 ? 2 : 0) + (mode & 4 ? 2 : 0) + (mode === 2 ? 2 : 0);
  const lfe = (((byteAt(bytes, at + 6) << 8) | byteAt(bytes, at + 7)) >> (12 - mixBits)) & 1;
  const rateCode = byteAt(bytes, at + 4) >> 6;
  const sizeCode = byteAt(bytes, at + 4) & 0x3f;
  const sampleRate = (dolbyRates[rateCode] ?? 0) / 2 ** Math.max(0, bsid - 8);
  const channels = (dolbyChannels[mode] ?? 2) + lfe;
  const bits =
    (rateCode << 22) |
    (bsid << 17) |
    ((byteAt(bytes, at + 5) & 7) << 14) |
    (mode << 11) |
    (lfe << 10) |
    ((sizeCode >> 1) << 5);
  const entry = soundEntry("ac-3", { channels, sampleRate }, box("dac3", u32(bits).slice(1)));
  return { codec: "ac3", codecString: "ac-3", sampleRate, channels, entry };
}

function readEac3Header(bytes: Uint8Array, at: number): AudioHeader | null {
  const kind = byteAt(bytes, at + 2) >> 6;
  const substream = (byteAt(bytes, at + 2) >> 3) & 7;
  const length = ((((byteAt(bytes, at + 2) & 7) << 8) | byteAt(bytes, at + 3)) + 1) * 2;
  const { sampleRate, blocks } = eac3Rate(bytes, at);
  if (kind === 3 || sampleRate === 0 || length < dolby.headerBytes) return null;
  const isAddition = kind === 1 || substream > 0;
  return { bytes: length, size: length, duration: isAddition ? 0 : blocks * blockDuration, isAddition };
}

function eac3Rate(bytes: Uint8Array, at: number): { sampleRate: number; blocks: number } {
  const rateCode = byteAt(bytes, at + 4) >> 6;
  const second = (byteAt(bytes, at + 4) >> 4) & 3;
  if (rateCode === 3) return { sampleRate: (dolbyRates[second] ?? 0) / 2, blocks: 6 };
  return { sampleRate: dolbyRates[rateCode] ?? 0, blocks: [1, 2, 3, 6][second] ?? 6 };
}

/** `EC3SpecificBox` (section F.6) of one independent substream. */
function eac3Format(bytes: Uint8Array, at: number): AudioFormat {
  const { sampleRate } = eac3Rate(bytes, at);
  const mode = (byteAt(bytes, at + 4) >> 1) & 7;
  const lfe = byteAt(bytes, at + 4) & 1;
  const channels = (dolbyChannels[mode] ?? 2) + lfe;
  const header = readEac3Header(bytes, at);
  const kbits = Math.round(((header?.bytes ?? 0) * 8 * sampleRate) / (header?.duration || dolbyUnit) / 1000);
  const description = ((byteAt(bytes, at + 4) >> 6) << 6) | (bsidOf(bytes, at) << 1);
  const config = [...u16((kbits & 0x1fff) << 3), description, (mode << 1) | lfe, 0];
  const entry = soundEntry("ec-3", { channels, sampleRate }, box("dec3", config));
  return { codec: "eac3", codecString: "ec-3", sampleRate, channels, entry };
}

const isAdts = (bytes: Uint8Array, at: number) => byteAt(bytes, at) === 0xff;

/** AAC or AC-3, whichever comes. */
export const aacOrDolby: AudioSyntax = {
  headerBytes: Math.max(adts.headerBytes, dolby.headerBytes),
  unitDuration: 0,
  readHeader: (bytes, at) => (isAdts(bytes, at) ? adts : dolby).readHeader(bytes, at),
  formatKey: (bytes, at) => (isAdts(bytes, at) ? adts : dolby).formatKey(bytes, at),
  formatOf: (bytes, at) => (isAdts(bytes, at) ? adts : dolby).formatOf(bytes, at),
};

const opusRate = 48_000;
/** Frame durations in samples of SILK, hybrid and CELT frames. RFC 6716 section 3.1. */
const opusDurations = { silk: [480, 960, 1920, 2880], hybrid: [480, 960], celt: [120, 240, 480, 960] } as const;

/** Opus, each packet behind a control header. ETSI TS 103 491 section 5; `channels` are those of the descriptor. */
export function opus(channels: number): AudioSyntax {
  return {
    headerBytes: 4,
    unitDuration: 0,
    readHeader(bytes, at) {
      if (byteAt(bytes, at) !== 0x7f || (byteAt(bytes, at + 1) & 0xe0) !== 0xe0) return null;
      const { headerBytes, size } = opusPacket(bytes, at);
      const duration = opusDuration(byteAt(bytes, at + headerBytes), byteAt(bytes, at + headerBytes + 1));
      if (size === 0 || duration === 0) return null;
      // What is not there yet tells more of the size.
      const isCut = at + headerBytes + 2 > bytes.length;
      return { bytes: isCut ? Number.POSITIVE_INFINITY : headerBytes + size, size, duration, isAddition: false };
    },
    formatKey: () => channels,
    formatOf() {
      // More channels need a mapping table.
      if (channels !== 1 && channels !== 2) return null;
      return {
        codec: "opus",
        codecString: "Opus",
        sampleRate: opusRate,
        channels,
        entry: opusEntry(channels, opusRate),
      };
    },
  };
}

/** The size of the control header at `at`, and of the packet behind it. */
export function opusPacket(bytes: Uint8Array, at: number): { headerBytes: number; size: number } {
  const flags = byteAt(bytes, at + 1);
  let next = at + 2;
  let size = 0;
  let part = 255;
  while (part === 255 && next < bytes.length) {
    part = byteAt(bytes, next++);
    size += part;
  }
  if (flags & 0x10) next += 2; // start_trim
  if (flags & 0x08) next += 2; // end_trim
  if (flags & 0x04) next += 1 + byteAt(bytes, next); // control_extension
  return { headerBytes: next - at, size };
}

function opusDuration(toc: number, second: number): number {
  const config = toc >> 3;
  const { silk, hybrid, celt } = opusDurations;
  const duration = config < 12 ? silk[config & 3] : config < 16 ? hybrid[config & 1] : celt[config & 3];
  const code = toc & 3;
  const count = code === 3 ? second & 0x3f : code === 0 ? 1 : 2;
  return (duration ?? 0) * count;
}
