import type { ByteSource } from "../byte-source.ts";
import { SampleTable as Samples, type SampleTable } from "../sample-table.ts";
import type { Box } from "./box.ts";
import { ChunkLayout } from "./chunk-layout.ts";
import { readColumn } from "./columns.ts";
import type { FileLimits } from "./file-limits.ts";
import { readBox, type TopLevel } from "./top-level.ts";

const maxFragmentBytes = 64 * 2 ** 20;
/** ISO/IEC 14496-12 section 8.8.7. */
const tfhd = { baseDataOffset: 1, description: 2, duration: 8, size: 0x10, flags: 0x20, baseIsMoof: 0x020000 };
/** Section 8.8.8. */
const trun = { dataOffset: 1, firstSampleFlags: 4, duration: 0x100, size: 0x200, flags: 0x400, offset: 0x800 };
const nonSync = 0x010000;
/** What the boxes of a fragment take, beside its samples. */
const stepsPerFragment = 100;
/** Samples of a run that are read before others have their turn. */
const readAtOnce = 2 ** 14;

/** The samples of a track that lie in fragments, and the decode time of the first one. */
export interface FragmentedSamples {
  readonly samples: SampleTable;
  readonly startTicks: number;
}

interface Defaults {
  readonly description: number;
  readonly duration: number;
  readonly size: number;
  readonly flags: number;
}

/** Numbers that are not counted beforehand. */
class Growing<T extends Uint32Array | Int32Array | Float64Array> {
  readonly #make: (length: number) => T;
  #values: T;
  length = 0;

  constructor(make: (length: number) => T) {
    this.#make = make;
    this.#values = make(64);
  }

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = this.#make(this.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  at(index: number): number {
    return this.#values[index] ?? 0;
  }

  set(index: number, value: number): void {
    this.#values[index] = value;
  }

  get values(): T {
    return this.#values.subarray(0, this.length) as T;
  }
}

/** The samples of one track, collected fragment by fragment. */
class TrackSamples {
  readonly defaults: Defaults;
  readonly #limits: FileLimits;
  readonly #sizes = new Growing((length) => new Uint32Array(length));
  readonly #durations = new Growing((length) => new Uint32Array(length));
  readonly #offsets = new Growing((length) => new Int32Array(length));
  readonly #sync = new Growing((length) => new Uint32Array(length));
  /** For each run of samples: place, first sample, sample entry. */
  readonly #runs = new Growing((length) => new Float64Array(length));
  #start: number | null = null;
  #next = 0;

  constructor(defaults: Defaults, limits: FileLimits) {
    this.defaults = defaults;
    this.#limits = limits;
  }

  get count(): number {
    return this.#sizes.length;
  }

  /** `tfdt`: a gap before it makes the sample before it longer. */
  seek(decodeTime: number): void {
    if (this.#start === null) {
      this.#start = decodeTime;
      this.#next = decodeTime;
      return;
    }
    const gap = decodeTime - this.#next;
    const duration = this.#durations.at(this.count - 1) + gap;
    if (this.count === 0 || duration < 0 || duration >= 2 ** 32) return;
    this.#durations.set(this.count - 1, duration);
    this.#next = decodeTime;
  }

  /** To be called before the samples of a run are added. */
  startRun(box: Box, count: number, offset: number, description: number): void {
    this.#limits.addSamples(box, count);
    this.#runs.push(offset);
    this.#runs.push(this.count);
    this.#runs.push(description);
  }

  add(sample: { duration: number; size: number; flags: number; offset: number }): void {
    if ((sample.flags & nonSync) === 0) this.#sync.push(this.count);
    this.#sizes.push(sample.size);
    this.#durations.push(sample.duration);
    this.#offsets.push(sample.offset);
    this.#next += sample.duration;
  }

  async finish(box: Box): Promise<FragmentedSamples> {
    const { count } = this;
    const limits = this.#limits;
    const column = (values: Growing<Uint32Array | Int32Array>) =>
      readColumn(limits, box, count, (sample) => values.at(sample));
    const { column: sizes, sum } = await column(this.#sizes);
    limits.addSampleBytes(box, sum);
    const runs = this.#runs.values;
    const layout = new ChunkLayout(box, sizes, limits.fileSize, { runs: runs.length / 3, samples: count });
    for (let i = 0; i < runs.length; i += 3) {
      const [first, end] = [runs[i + 1] ?? 0, runs[i + 4] ?? count];
      layout.add(runs[i] ?? 0, first, end, runs[i + 2] ?? 1);
      await limits.worked(end - first + 1);
    }
    const samples = new Samples({
      count,
      sizes,
      durations: (await column(this.#durations)).column,
      compositionOffsets: (await column(this.#offsets)).column,
      syncSamples: this.#sync.length === count ? null : this.#sync.values.slice(),
      ...(await layout.finish(limits, count)),
    });
    return { samples, startTicks: this.#start ?? 0 };
  }
}

/**
 * Reads the samples of all `moof` boxes, for the tracks with these numbers. `descriptions`: for each entry of `stsd` the
 * number of the one to use.
 */
export async function readFragments(
  source: ByteSource,
  topLevel: TopLevel,
  moov: Box,
  descriptions: ReadonlyMap<number, readonly number[]>,
  limits: FileLimits,
): Promise<ReadonlyMap<number, FragmentedSamples>> {
  const tracks = new Map<number, TrackSamples>();
  for (const [id, defaults] of readDefaults(moov)) {
    if (descriptions.has(id)) tracks.set(id, new TrackSamples(defaults, limits));
  }
  for (const place of topLevel.boxes) {
    if (place.type !== "moof") continue;
    const moof = await readBox(source, place, maxFragmentBytes);
    let dataEnd = place.offset;
    for (const traf of moof.children()) {
      if (traf.type === "traf")
        dataEnd = await readTrackFragment(traf, { tracks, descriptions, limits, moofOffset: place.offset, dataEnd });
    }
    await limits.worked(stepsPerFragment);
  }
  const found = new Map<number, FragmentedSamples>();
  for (const [id, track] of tracks) found.set(id, await track.finish(moov));
  return found;
}

function readDefaults(moov: Box): Map<number, Defaults> {
  const defaults = new Map<number, Defaults>();
  for (const trex of moov.child("mvex")?.children() ?? []) {
    if (trex.type !== "trex") continue;
    const [description, duration, size, flags] = [trex.u32(8), trex.u32(12), trex.u32(16), trex.u32(20)];
    defaults.set(trex.u32(4), { description, duration, size, flags });
  }
  return defaults;
}

interface Context {
  readonly tracks: ReadonlyMap<number, TrackSamples>;
  readonly descriptions: ReadonlyMap<number, readonly number[]>;
  readonly limits: FileLimits;
  readonly moofOffset: number;
  /** Where the data of the `traf` before ends. */
  readonly dataEnd: number;
}

/** Reads one `traf`; returns where its data ends. */
async function readTrackFragment(
  traf: Box,
  { tracks, descriptions, limits, moofOffset, dataEnd }: Context,
): Promise<number> {
  const header = traf.required("tfhd");
  const id = header.u32(4);
  const track = tracks.get(id);
  const { base, defaults } = readFragmentHeader(header, {
    moofOffset,
    dataEnd,
    defaults: track?.defaults ?? noDefaults,
  });
  if (track === undefined) return dataEnd;
  const known = descriptions.get(id) ?? [];
  const description =
    known[defaults.description - 1] ??
    header.fail("no such sample entry", { expected: `1 to ${known.length}`, got: defaults.description });
  const tfdt = traf.child("tfdt");
  if (tfdt) track.seek(tfdt.version === 1 ? tfdt.u64(4) : tfdt.u32(4));
  let end = base;
  for (const run of traf.children()) {
    if (run.type === "trun")
      end = await readRun(run, track, { base, end, limits, defaults: { ...defaults, description } });
  }
  return end;
}

const noDefaults: Defaults = { description: 1, duration: 0, size: 0, flags: 0 };

function readFragmentHeader(
  header: Box,
  { moofOffset, dataEnd, defaults }: { moofOffset: number; dataEnd: number; defaults: Defaults },
): { base: number; defaults: Defaults } {
  const { flags } = header;
  let at = 8;
  const optional = (flag: number, otherwise: number): number => {
    if ((flags & flag) === 0) return otherwise;
    at += 4;
    return header.u32(at - 4);
  };
  let base = flags & tfhd.baseIsMoof ? moofOffset : dataEnd;
  if (flags & tfhd.baseDataOffset) {
    base = header.u64(at);
    at += 8;
  }
  const description = optional(tfhd.description, defaults.description);
  const duration = optional(tfhd.duration, defaults.duration);
  const size = optional(tfhd.size, defaults.size);
  return { base, defaults: { description, duration, size, flags: optional(tfhd.flags, defaults.flags) } };
}

/** Reads one `trun`; returns where its data ends. */
async function readRun(
  run: Box,
  track: TrackSamples,
  { base, end, limits, defaults }: { base: number; end: number; limits: FileLimits; defaults: Defaults },
): Promise<number> {
  const { flags } = run;
  const count = run.u32(4);
  let at = 8;
  let next = end;
  if (flags & trun.dataOffset) {
    next = base + run.i32(at);
    at += 4;
  }
  if (next < 0) run.fail("samples lie before the start of the file", { expected: "0 or more", got: next });
  const firstFlags = flags & trun.firstSampleFlags ? run.u32(at) : null;
  if (firstFlags !== null) at += 4;
  const fields = [trun.duration, trun.size, trun.flags, trun.offset].filter((flag) => flags & flag).length;
  run.need(at, count * fields * 4);
  if (!(flags & trun.size) && defaults.size === 0 && count > 0) run.fail("samples have no size");
  track.startRun(run, count, next, defaults.description);
  const field = (flag: number, otherwise: number): number => {
    if ((flags & flag) === 0) return otherwise;
    at += 4;
    return run.u32(at - 4);
  };
  for (let i = 0; i < count; i++) {
    const duration = field(trun.duration, defaults.duration);
    const size = field(trun.size, defaults.size);
    const own = field(trun.flags, defaults.flags);
    const offset = field(trun.offset, 0) | 0;
    if (i % readAtOnce === 0) await limits.worked(Math.min(readAtOnce, count - i));
    track.add({ duration, size, flags: i === 0 ? (firstFlags ?? own) : own, offset });
    next += size;
  }
  return next;
}
