import type { AudioTrack } from "../movie.ts";
import { Box } from "../mp4/box.ts";
import { readAudioConfig, readStreamDescriptor } from "../mp4/descriptors.ts";

/** A packet of sound in which nothing is heard. */
export interface SilentPacket {
  readonly bytes: Uint8Array;
  /** How long it is, in ticks of its track; not always a whole number. */
  readonly ticks: number;
}

/** Bytes of an audio sample entry before the boxes in it: its header, and the fields of version 0. */
const audioEntryBytes = 36;
const aacPacketSamples = 1024;
const aacLowComplexity = 2;
/** Opus packets of 20 ms, by channels: CELT, full band, with no coded band (RFC 6716 section 3.1). */
const opusPackets: Readonly<Record<number, readonly number[]>> = { 1: [0xf8, 0xff, 0xfe], 2: [0xfc, 0xff, 0xfe] };

/** Silence in the codec of a track, for AAC-LC of up to six channels and Opus of up to two; null for others. */
export function silentPacket(track: AudioTrack): SilentPacket | null {
  if (track.sampleEntries.length !== 1) return null;
  if (track.codec === "aac") return silentAac(track);
  const opus = track.codec === "opus" ? opusPackets[track.channels] : undefined;
  return opus === undefined ? null : { bytes: Uint8Array.from(opus), ticks: track.timescale / 50 };
}

function silentAac({ sampleEntries, timescale }: AudioTrack): SilentPacket | null {
  const [entry] = sampleEntries;
  const esds = entry && new Box("mp4a", entry.subarray(audioEntryBytes), 0).child("esds");
  const config = esds ? readAudioConfig(readStreamDescriptor(esds)?.specificInfo ?? new Uint8Array(0)) : null;
  const elements = aacElements[config?.channels ?? 0];
  if (config?.objectType !== aacLowComplexity || config.sampleRate === 0 || elements === undefined) return null;
  return { bytes: rawDataBlock(elements), ticks: (aacPacketSamples * timescale) / config.sampleRate };
}

type Element = "single" | "pair" | "low";

/** `id_syn_ele`, ISO/IEC 14496-3 table 4.85. */
const elementIds = { single: 0, pair: 1, low: 3, end: 7 } as const;

/** The elements of each channel configuration, table 1.19. */
const aacElements: Readonly<Record<number, readonly Element[]>> = {
  1: ["single"],
  2: ["pair"],
  3: ["single", "pair"],
  4: ["single", "pair", "single"],
  5: ["single", "pair", "pair"],
  6: ["single", "pair", "pair", "low"],
};

/** A `raw_data_block` whose elements have no scale factor bands (section 4.4.2.1). */
function rawDataBlock(elements: readonly Element[]): Uint8Array {
  let bits = "";
  const add = (value: number, count: number) => {
    bits += value.toString(2).padStart(count, "0");
  };
  const seen = { single: 0, pair: 0, low: 0 };
  for (const element of elements) {
    add(elementIds[element], 3);
    add(seen[element]++, 4); // element_instance_tag
    if (element === "pair") {
      add(1, 1); // common_window
      add(0, icsInfoBits);
      add(0, 2); // ms_mask_present
    }
    for (let channel = 0; channel < (element === "pair" ? 2 : 1); channel++) {
      add(0, 8); // global_gain
      if (element !== "pair") add(0, icsInfoBits);
      add(0, 3); // pulse, TNS, gain control
    }
  }
  add(elementIds.end, 3);
  const bytes = bits.padEnd(Math.ceil(bits.length / 8) * 8, "0").match(/.{8}/g) ?? [];
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 2));
}

/** `ics_info` of a long window: reserved bit, sequence, shape, no scale factor band, no prediction. */
const icsInfoBits = 1 + 2 + 1 + 6 + 1;
