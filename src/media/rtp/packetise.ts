import { type Buffers, freshBuffers } from "../buffers.ts";
import type { ByteSource } from "../byte-source.ts";
import { presentationTicks } from "../cmaf/segments.ts";
import { MediaError } from "../errors.ts";
import type { Track } from "../movie.ts";
import { readSamples, type SampleRange } from "../sample-range.ts";
import { valueAt } from "../sample-table.ts";
import { AacPayloadWriter } from "./aac-payload.ts";
import { h264Config, h265Config, type NalConfig } from "./codec-config.ts";
import { h264Payload, h265Payload, type NalPayloadFormat, packetisePicture } from "./nal-payload.ts";
import { maxPayloadBytes, type PacketGroup, PacketGroupWriter, type SampleTime, slotBytes } from "./packet-group.ts";
import type { RtpTrack } from "./rtp-tracks.ts";

/** Samples are read and packetised in pieces of about this size: what a stream holds at least. With heads 320 KiB. */
export const pieceBytes = 304 * 1024;
/** Where pictures are larger, a piece lasts for this long. */
const pieceSeconds = 0.35;
const maxPieceBytes = 1024 * 1024;
/** Of tiny samples, no more than this: each has a packet of its own, however small. */
const maxPieceSamples = 2048;
/** A picture larger than this is damage. */
const maxSampleBytes = 32 * 2 ** 20;
/** The length of a frame (RFC 2326 section 10.12) has 16 bits. */
const maxOpusBytes = 60_000;
/** Key frames closer together than this are not all shown when only key frames are. */
const minKeySeconds = 0.5;

/** The samples of a segment in pieces, none much larger than wanted; a function of the range alone. */
export function piecesOf({ track, from, to }: SampleRange): SampleRange[] {
  const pieces: SampleRange[] = [];
  // Each key frame is sent with the parameter sets, which may be many where somebody means harm.
  const keyBytes = track.kind === "video" ? Math.max(0, ...track.sampleEntries.map(({ length }) => length)) : 0;
  const most = mostBytesOf({ track, from, to });
  let [start, size] = [from, 0];
  for (let sample = from; sample < to; sample++) {
    const bytes = track.samples.sizeOf(sample) + (keyBytes > 0 && track.samples.isSync(sample) ? keyBytes : 0);
    const isFull = (size > 0 && size + bytes > most) || sample - start >= maxPieceSamples;
    if (isFull) {
      pieces.push({ track, from: start, to: sample });
      [start, size] = [sample, 0];
    }
    size += bytes;
  }
  if (start < to) pieces.push({ track, from: start, to });
  return pieces;
}

/** Of one piece. */
function mostBytesOf({ track: { samples, timescale }, from, to }: SampleRange): number {
  let [bytes, ticks] = [0, 0];
  for (let sample = from; sample < to; sample++) {
    bytes += samples.sizeOf(sample);
    ticks += samples.durationOf(sample);
  }
  const wanted = ticks > 0 ? (bytes * timescale * pieceSeconds) / ticks : 0;
  return Math.min(Math.max(wanted, pieceBytes), maxPieceBytes);
}

/** The key frames of a segment alone, each a piece, at least half a second apart. */
export function keyPiecesOf({ track, from, to }: SampleRange): SampleRange[] {
  const pieces: SampleRange[] = [];
  let next = Number.NEGATIVE_INFINITY;
  for (let sample = from; sample < to; sample++) {
    const ticks = presentationTicks(track, sample);
    if (ticks < next || !track.samples.isSync(sample)) continue;
    pieces.push({ track, from: sample, to: sample + 1 });
    next = ticks + minKeySeconds * track.timescale;
  }
  return pieces;
}

/**
 * The last key frame of a segment that is presented at or before `seconds`, or the first sample where none is; null for
 * an empty range.
 */
export function keySampleAt({ track, from, to }: SampleRange, seconds: number): number | null {
  // Half a tick of the clock that times are told in.
  const ticks = seconds * track.timescale + 0.5;
  let found = from < to ? from : null;
  for (let sample = from; sample < to; sample++) {
    if (track.samples.isSync(sample) && presentationTicks(track, sample) <= ticks) found = sample;
  }
  return found;
}

/** When a sample is presented, in ticks of `clockRate`: exact, however late and whatever the timescale. */
export function rtpTimeOf(track: Track, sample: number, clockRate: number): number {
  const ticks = presentationTicks(track, sample);
  const whole = Math.floor(ticks / track.timescale);
  const rest = ticks - whole * track.timescale;
  return whole * clockRate + Math.round((rest * clockRate) / track.timescale);
}

/**
 * Reads samples and makes their packets. Throws a `MediaError` for a damaged original. The group's bytes come from
 * `buffers`, to which they may be given back when nobody uses the group any more.
 */
export async function packetise(
  source: ByteSource,
  range: SampleRange,
  rtp: RtpTrack,
  buffers: Buffers = freshBuffers,
): Promise<PacketGroup> {
  const { track, from, to } = range;
  for (let sample = from; sample < to; sample++) {
    const size = track.samples.sizeOf(sample);
    if (size > maxSampleBytes) {
      throw new MediaError("unsupported", "A picture is too large to be sent", { expected: maxSampleBytes, got: size });
    }
  }
  const { bytes, starts } = await readSamples(source, range, buffers);
  const writer = new PacketGroupWriter(rtp.payloadType, expectedBytes(range, bytes.length), buffers);
  const samples = Array.from({ length: to - from }, (_, i): Sample => {
    const start = starts[i] ?? 0;
    return {
      bytes: bytes.subarray(start, start + track.samples.sizeOf(from + i)),
      time: timeOf(track, from + i, rtp.clockRate),
      isKey: track.samples.isSync(from + i),
    };
  });
  write(writer, range, rtp, samples);
  buffers.give(bytes);
  return writer.finish();
}

interface Sample {
  readonly bytes: Uint8Array;
  readonly time: SampleTime;
  readonly isKey: boolean;
}

function expectedBytes({ from, to }: SampleRange, sampleBytes: number): number {
  const packets = to - from + Math.ceil(sampleBytes / maxPayloadBytes);
  return sampleBytes + packets * (slotBytes + 8);
}

function timeOf(track: Track, sample: number, clockRate: number): SampleTime {
  const { samples, delay, mediaTime, timescale } = track;
  return {
    rtpTime: rtpTimeOf(track, sample, clockRate),
    dueSeconds: (samples.decodeTimeOf(sample) + delay - mediaTime) / timescale,
    durationSeconds: samples.durationOf(sample) / timescale,
  };
}

function write(writer: PacketGroupWriter, range: SampleRange, rtp: RtpTrack, samples: readonly Sample[]): void {
  const entry = entryOf(range);
  if (rtp.media === "video") writePictures(writer, picturesOf(range.track, entry), samples);
  // The session description tells of one configuration only; what has another cannot be decoded.
  else if (entry !== 0) return;
  else if (rtp.codec === "aac") writeAac(writer, samples);
  else writeOpus(writer, samples);
}

/** Which of the track's sample entries a piece of a segment has. */
function entryOf({ track: { samples }, from }: SampleRange): number {
  return Math.max(0, valueAt(samples.columns.chunkEntries, samples.chunkOf(from)) - 1);
}

interface Pictures {
  readonly format: NalPayloadFormat;
  readonly config: NalConfig;
}

function picturesOf({ codec, sampleEntries }: Track, entry: number): Pictures {
  const bytes = sampleEntries[entry] ?? new Uint8Array(0);
  const config = codec === "h264" ? h264Config(bytes) : h265Config(bytes);
  if (config === null) throw new MediaError("not-a-video", "The video's configuration is missing");
  return { format: codec === "h264" ? h264Payload : h265Payload, config };
}

function writePictures(writer: PacketGroupWriter, { format, config }: Pictures, samples: readonly Sample[]): void {
  for (const { bytes, time, isKey } of samples) {
    writer.beginSample(time, isKey);
    packetisePicture(writer, format, config, bytes, isKey);
    writer.endSample();
  }
}

function writeAac(writer: PacketGroupWriter, samples: readonly Sample[]): void {
  const payload = new AacPayloadWriter(writer);
  for (const { bytes, time } of samples) payload.push(bytes, time);
  payload.flush();
}

/** RFC 7587 section 4.2: a packet of Opus is the payload; there is no way to take one apart. */
function writeOpus(writer: PacketGroupWriter, samples: readonly Sample[]): void {
  for (const { bytes, time } of samples) {
    if (bytes.length === 0 || bytes.length > maxOpusBytes) continue;
    writer.beginSample(time, false);
    writer.beginPacket(bytes.length, false);
    writer.copy(bytes, 0, bytes.length);
    writer.endSample();
  }
}
