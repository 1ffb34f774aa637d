import type { ByteSource } from "../byte-source.ts";
import type { TextTrack } from "../movie.ts";
import type { Cue } from "./cue.ts";
import { readTx3gEntry, tx3gCue } from "./tx3g.ts";
import { wvttCues } from "./wvtt.ts";

/** A subtitle's sample is a few hundred bytes; larger ones are passed over. */
const maxSampleBytes = 256 * 1024;
const readsAtOnce = 16;

/** The cues of a text track that are shown at some moment between two times; reads only these samples. */
export async function cuesOfTrack(source: ByteSource, track: TextTrack, fromMs: number, toMs: number): Promise<Cue[]> {
  const wanted = samplesBetween(track, fromMs, toMs);
  const cues: Cue[] = [];
  for (let i = 0; i < wanted.length; i += readsAtOnce) {
    const batch = wanted.slice(i, i + readsAtOnce);
    const read = await Promise.all(batch.map((sample) => cuesOfSample(source, track, sample)));
    cues.push(...read.flat());
  }
  return cues.filter(({ startMs, endMs }) => startMs < toMs && endMs > fromMs);
}

function samplesBetween(track: TextTrack, fromMs: number, toMs: number): number[] {
  const { samples, timescale, mediaTime, delay } = track;
  const first = samples.sampleAtDecodeTime((fromMs / 1000) * timescale + mediaTime - delay);
  const wanted: number[] = [];
  for (let sample = Math.max(first, track.firstSample); sample < track.endSample; sample++) {
    if (startMsOf(track, sample) >= toMs) break;
    if (samples.sizeOf(sample) > 2 && samples.sizeOf(sample) <= maxSampleBytes) wanted.push(sample);
  }
  return wanted;
}

const startMsOf = ({ samples, mediaTime, delay, timescale }: TextTrack, sample: number) =>
  Math.max(0, Math.round(((samples.decodeTimeOf(sample) - mediaTime + delay) * 1000) / timescale));

async function cuesOfSample(source: ByteSource, track: TextTrack, sample: number): Promise<Cue[]> {
  const { samples } = track;
  const bytes = await source.read(samples.offsetOf(sample), samples.sizeOf(sample));
  const startMs = startMsOf(track, sample);
  const endMs = startMsOf(track, sample + 1);
  if (track.codec === "wvtt") return wvttCues(startMs, endMs, bytes);
  const entry = track.sampleEntries[0];
  const cue = entry === undefined ? null : tx3gCue(startMs, endMs, bytes, readTx3gEntry(entry));
  return cue === null ? [] : [cue];
}
