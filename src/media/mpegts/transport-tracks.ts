import { MediaError } from "../errors.ts";
import { toldFrameRate } from "../frame-rate.ts";
import type { AudioTrack, Track, VideoTrack } from "../movie.ts";
import { languageTag } from "../mp4/track-box.ts";
import { narrow, SampleTable } from "../sample-table.ts";
import { turn } from "../turn.ts";
import type { ElementaryStream } from "./elementary-stream.ts";
import { areMultiples, differences, divide, type GrowingColumn, steps } from "./growing-column.ts";
import { H264Syntax } from "./h264.ts";
import { H265Syntax } from "./h265.ts";
import type { PacketLayout } from "./packet.ts";
import type { PacketColumns, PartColumns, SampleForm } from "./packet-ranges.ts";
import type { PartRecord } from "./part-record.ts";
import { clockRate } from "./pes.ts";
import type { AudioTrackStreams } from "./program-streams.ts";
import { avcEntry, hevcEntry, type VideoEntry } from "./sample-entries.ts";
import { pictureTiming, soundTiming, type Timing } from "./timing.ts";
import type { VideoStream } from "./video-stream.ts";

const identityMatrix = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];
/** Sound that starts earlier than this before the picture is left out up to there. */
const maxLeadSeconds = 1;

/** How the packets lie in the file. */
export interface TransportPlaces {
  readonly layout: PacketLayout;
  readonly breaks: Float64Array;
}

/** A track whose place on the common clock is not known yet. */
export interface TimedTrack {
  readonly track: Track;
  readonly timing: Timing;
}

/** The track of the pictures. */
export async function videoTrackOf(video: VideoStream, id: number, places: TransportPlaces): Promise<TimedTrack> {
  const { stream, syntax } = video;
  const { format } = syntax;
  const { codec, codecString, entry } = entryOf(video);
  if (format === null || entry === null) throw new MediaError("not-a-video", "The video has no pictures");
  const tick = format.usage.tickSeconds;
  const fields = codec === "h264" ? 2 : 1;
  const timing = await pictureTiming(
    stream.record,
    video.hasDecodeTimes,
    tick === null ? null : tick * fields * clockRate,
  );
  const samples = await tableOf(stream, timing, { syncSamples: Uint32Array.from(video.keys.values), changes: [] });
  const track: VideoTrack = {
    ...base(id, timing, samples),
    ...{ kind: "video", codec, codecString, sampleEntries: [entry], language: null },
    ...{ width: format.width, height: format.height, rotation: 0, matrix: identityMatrix },
    frameRate: toldFrameRate((samples.count * clockRate) / samples.totalDuration),
    packets: await packetColumns(stream, "annex-b", places),
  };
  return { track, timing };
}

function entryOf({ syntax }: VideoStream): { codec: string; codecString: string; entry: Uint8Array | null } {
  let made: (VideoEntry & { codec: string }) | null = null;
  if (syntax instanceof H264Syntax && syntax.format) made = { codec: "h264", ...avcEntry(syntax.sets, syntax.format) };
  if (syntax instanceof H265Syntax && syntax.format) made = { codec: "h265", ...hevcEntry(syntax.sets, syntax.format) };
  return made ?? { codec: "", codecString: "", entry: null };
}

const forms: Readonly<Record<string, SampleForm>> = { aac: "adts", opus: "opus" };

/** The track of a stream of sound; null when it has none. */
export async function audioTrackOf(
  source: AudioTrackStreams,
  id: number,
  places: TransportPlaces,
): Promise<TimedTrack | null> {
  const { audio } = source;
  const format = audio?.changes[0]?.format;
  if (audio === null || format === undefined) return null;
  const timing = await soundTiming(audio.stream.record, {
    ...{ lengths: lengthsOf(audio), gaps: audio.gaps.values, timescale: format.sampleRate },
  });
  const formats = [...new Set(audio.changes.map((change) => change.format))];
  const changes = audio.changes.map((change) => ({ sample: change.sample, entry: formats.indexOf(change.format) + 1 }));
  const track: AudioTrack = {
    ...base(id, timing, await tableOf(audio.stream, timing, { syncSamples: null, changes })),
    ...{ kind: "audio", codec: format.codec, codecString: format.codecString },
    sampleEntries: formats.map(({ entry }) => entry),
    language: languageTag(source.language ?? "und"),
    ...{ channels: format.channels, sampleRate: format.sampleRate, isDefault: true },
    packets: await packetColumns(audio.stream, forms[format.codec] ?? "as-is", places),
  };
  return { track, timing };
}

/** Lengths in ticks of the first format's rate. */
function lengthsOf(audio: NonNullable<AudioTrackStreams["audio"]>): GrowingColumn {
  const timescale = audio.changes[0]?.format.sampleRate ?? 1;
  audio.changes.forEach(({ sample, format }, i) => {
    const end = audio.changes[i + 1]?.sample ?? audio.durations.length;
    if (format.sampleRate === timescale) return;
    for (let at = sample; at < end; at++) {
      audio.durations.set(at, Math.round((audio.durations.at(at) * timescale) / format.sampleRate));
    }
  });
  return audio.durations;
}

const base = (id: number, { timescale }: Timing, samples: SampleTable) => ({
  ...{ id, timescale, name: null, samples, mediaTime: 0, delay: 0, editsIgnored: false },
  ...{ firstSample: 0, endSample: samples.count },
});

interface TableParts {
  readonly syncSamples: Uint32Array | null;
  readonly changes: readonly { readonly sample: number; readonly entry: number }[];
}

async function tableOf(
  { record }: ElementaryStream,
  timing: Timing,
  { syncSamples, changes }: TableParts,
): Promise<SampleTable> {
  const { count } = record;
  await turn();
  const [sizes, durations] = [narrow(record.sizes.values), narrow(timing.durations)];
  await turn();
  const compositionOffsets = narrow(timing.compositionOffsets);
  await turn();
  const starts = changes.length === 0 ? [0] : changes.map(({ sample }) => sample);
  return new SampleTable({
    count,
    sizes,
    durations,
    compositionOffsets,
    syncSamples: syncSamples?.length === count ? null : syncSamples,
    // Samples are found by their packets; a chunk only says which sample entry they have.
    chunkOffsets: new Uint8Array(1),
    chunkOffsetsHigh: new Uint8Array(1),
    chunkLengths: narrow(Uint32Array.from(starts, (start, i) => (starts[i + 1] ?? count) - start)),
    chunkEntries: narrow(Uint32Array.from(changes.length === 0 ? [1] : changes.map(({ entry }) => entry))),
  });
}

async function packetColumns(
  { record, pids }: ElementaryStream,
  form: SampleForm,
  { layout, breaks }: TransportPlaces,
): Promise<PacketColumns> {
  const packets = record.packets.values;
  const apart = await steps(packets);
  const spans = await differences(record.lastPackets.values, packets);
  const isAligned = (await areMultiples(apart, layout.stride)) && (await areMultiples(spans, layout.stride));
  const unit = isAligned ? layout.stride : 1;
  return {
    ...{ layout, breaks, form, pids, unit },
    firstPacket: packets[0] ?? 0,
    steps: narrow(await divide(apart, unit)),
    spans: narrow(await divide(spans, unit)),
    skips: narrow(record.skips.values),
    growths: narrow(await differences(record.sizes.values, record.rawSizes.values)),
    parts: await partColumns(record.parts),
  };
}

const partColumns = async (parts: PartRecord): Promise<PartColumns> => ({
  samples: new Uint32Array(parts.samples.values),
  packets: parts.packets.values.slice(),
  skips: new Uint8Array(parts.skips.values),
  spans: new Uint32Array(await differences(parts.lastPackets.values, parts.packets.values)),
  rawSizes: new Uint32Array(parts.rawSizes.values),
  sizes: new Uint32Array(parts.sizes.values),
  heads: new Uint32Array(parts.heads.values),
  areUnits: new Uint8Array(parts.areUnits.values),
});

/** Places the tracks, the picture's first, on one clock that starts at 0 with what is presented first. */
export function placeTracks(tracks: readonly TimedTrack[]): Track[] {
  const [video, ...audio] = tracks;
  if (video === undefined) return [];
  const shown = video.timing.firstPresentation;
  const kept = [video, ...audio.flatMap((track) => withoutLead(track, shown))];
  const origin = Math.min(...kept.map(({ timing }) => timing.firstPresentation));
  // How long the first picture waits to be shown is the edit list's media time, and sound gets the same one: players that
  // overlook `elst` in fragmented files then are early alike.
  const early = Math.max(0, shown - video.timing.firstDecode) / clockRate;
  return kept.map(({ track, timing }) => {
    const start = Math.round(((timing.firstDecode - origin) * timing.timescale) / clockRate);
    const mediaTime = Math.round(early * timing.timescale);
    return { ...track, mediaTime, delay: start + mediaTime };
  });
}

/** Without the sound long before the first picture; none when all of it is. */
function withoutLead({ track, timing }: TimedTrack, shown: number): TimedTrack[] {
  const lead = (shown - timing.firstPresentation) / clockRate;
  if (lead <= maxLeadSeconds) return [{ track, timing }];
  const { samples, timescale } = track;
  const firstSample = samples.sampleAtDecodeTime(lead * timescale);
  if (samples.decodeTimeOf(firstSample + 1) < lead * timescale) return [];
  const cut = samples.decodeTimeOf(firstSample);
  const start = timing.firstPresentation + (cut * clockRate) / timescale;
  return [
    {
      track: { ...track, firstSample },
      timing: { ...timing, firstDecode: timing.firstDecode, firstPresentation: start },
    },
  ];
}
