import { type Column, narrow, SampleTable, valueAt } from "../sample-table.ts";
import type { Box } from "./box.ts";

/** Samples of one track: 118 hours of 48 kHz AAC. */
export const maxSamples = 20_000_000;
/** Longest run of samples that is found by one look-up; `SampleTable.offsetOf` walks at most this far. */
export const maxChunkSamples = 256;

/** Reads `stbl` (ISO/IEC 14496-12 section 8.5 to 8.7). Fails as `truncated` when samples lie past `fileSize`. `entryCount`: of `stsd`. */
export function readSampleTable(stbl: Box, fileSize: number, entryCount: number): SampleTable {
  const { count, sizes } = readSizes(stbl, fileSize);
  const table = new SampleTable({
    count,
    sizes,
    durations: readDurations(stbl, count),
    compositionOffsets: readCompositionOffsets(stbl, count),
    syncSamples: readSyncSamples(stbl, count),
    ...readChunks(stbl, { count, sizes, fileSize, entryCount }),
  });
  if (!Number.isSafeInteger(table.totalDuration)) stbl.fail("the video is longer than any clock");
  return table;
}

function checkedCount(box: Box, count: number): number {
  if (count > maxSamples) {
    box.fail("too many samples", { expected: `at most ${maxSamples}`, got: count, code: "unsupported" });
  }
  return count;
}

function readSizes(stbl: Box, fileSize: number): { count: number; sizes: Column } {
  const boxes = stbl.children();
  const stsz = boxes.find((box) => box.type === "stsz");
  if (stsz === undefined) return readCompactSizes(boxes.find((box) => box.type === "stz2") ?? stbl.required("stsz"));
  const constant = stsz.u32(4);
  const count = checkedCount(stsz, stsz.u32(8));
  if (constant !== 0) {
    if (count * constant > fileSize) {
      stsz.fail("samples lie past the end of the file", {
        expected: count * constant,
        got: fileSize,
        code: "truncated",
      });
    }
    return { count, sizes: narrow(Uint32Array.of(constant)) };
  }
  const table = stsz.table(12, count, 4);
  const sizes = new Uint32Array(count);
  for (let i = 0; i < count; i++) sizes[i] = table.getUint32(i * 4);
  return { count, sizes: narrow(sizes) };
}

/** `stz2`: sizes of 4, 8 or 16 bits. */
function readCompactSizes(stz2: Box): { count: number; sizes: Column } {
  const bits = stz2.u8(7);
  if (![4, 8, 16].includes(bits)) stz2.fail("unknown field size", { expected: "4, 8 or 16", got: bits });
  const count = checkedCount(stz2, stz2.u32(8));
  stz2.need(12, Math.ceil((count * bits) / 8));
  const sizes = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    if (bits === 16) sizes[i] = stz2.u16(12 + i * 2);
    else if (bits === 8) sizes[i] = stz2.u8(12 + i);
    else sizes[i] = (stz2.u8(12 + (i >> 1)) >> (i % 2 === 0 ? 4 : 0)) & 15;
  }
  return { count, sizes: narrow(sizes) };
}

/** `stts`. Too short a table repeats its last value, as players do. */
function readDurations(stbl: Box, count: number): Column {
  const stts = stbl.required("stts");
  const entries = stts.u32(4);
  const table = stts.table(8, entries, 8);
  // A delta of 2^31 and more is a negative one by a careless writer.
  const deltaOf = (entry: number) => {
    const delta = table.getUint32(entry * 8 + 4);
    return delta >= 0x8000_0000 ? 0 : delta;
  };
  if (entries === 0) return narrow(Uint32Array.of(0));
  if (entries === 1) return narrow(Uint32Array.of(deltaOf(0)));
  const durations = new Uint32Array(count);
  let sample = 0;
  for (let entry = 0; entry < entries && sample < count; entry++) {
    const end = Math.min(count, sample + table.getUint32(entry * 8));
    durations.fill(deltaOf(entry), sample, end);
    sample = end;
  }
  durations.fill(deltaOf(entries - 1), sample);
  return narrow(durations);
}

/** `ctts`. Version 0 is read as signed too: QuickTime writes negative offsets into it. */
function readCompositionOffsets(stbl: Box, count: number): Column {
  const ctts = stbl.child("ctts");
  if (ctts === null) return narrow(Int32Array.of(0));
  const entries = ctts.u32(4);
  const table = ctts.table(8, entries, 8);
  const offsets = new Int32Array(count);
  let sample = 0;
  for (let entry = 0; entry < entries && sample < count; entry++) {
    const end = Math.min(count, sample + table.getUint32(entry * 8));
    offsets.fill(table.getInt32(entry * 8 + 4), sample, end);
    sample = end;
  }
  return narrow(offsets);
}

/** `stss`; null when it is missing, which means that every sample is a sync sample. */
function readSyncSamples(stbl: Box, count: number): Uint32Array | null {
  const stss = stbl.child("stss");
  if (stss === null) return null;
  const entries = stss.u32(4);
  const table = stss.table(8, entries, 4);
  const samples = new Uint32Array(Math.min(entries, count));
  let kept = 0;
  let last = -1;
  for (let entry = 0; entry < entries && kept < samples.length; entry++) {
    const sample = table.getUint32(entry * 4) - 1;
    if (sample <= last || sample >= count) continue;
    samples[kept++] = sample;
    last = sample;
  }
  return samples.slice(0, kept);
}

type Chunks = Pick<SampleTable["columns"], "chunkOffsets" | "chunkStarts" | "chunkEntries">;

/** `stsc` with `stco` or `co64`: where each run of samples starts. */
function readChunks(
  stbl: Box,
  samples: { count: number; sizes: Column; fileSize: number; entryCount: number },
): Chunks {
  const { count, sizes, fileSize, entryCount } = samples;
  const { chunks, offsetOf } = readChunkOffsets(stbl);
  const stsc = stbl.required("stsc");
  const entries = stsc.u32(4);
  const table = stsc.table(8, entries, 12);
  const layout = new ChunkLayout(stbl, sizes, fileSize, chunks + Math.ceil(count / maxChunkSamples) + 1);
  let sample = 0;
  for (let entry = 0; entry < entries && sample < count; entry++) {
    const first = table.getUint32(entry * 12) - 1;
    const next = entry + 1 < entries ? table.getUint32((entry + 1) * 12) - 1 : chunks;
    if (first < 0 || next < first) {
      stsc.fail("chunks are out of order", { expected: `at least ${first + 1}`, got: next + 1 });
    }
    const perChunk = table.getUint32(entry * 12 + 4);
    const description = table.getUint32(entry * 12 + 8);
    if (description < 1 || description > entryCount) {
      stsc.fail("no such sample entry", { expected: `1 to ${entryCount}`, got: description });
    }
    for (let chunk = first; chunk < Math.min(next, chunks) && sample < count; chunk++) {
      const end = Math.min(count, sample + perChunk);
      layout.add(offsetOf(chunk), sample, end, description);
      sample = end;
    }
  }
  if (sample < count) stsc.fail("samples belong to no chunk", { expected: count, got: sample });
  return layout.finish(count);
}

function readChunkOffsets(stbl: Box): { chunks: number; offsetOf: (chunk: number) => number } {
  const co64 = stbl.child("co64");
  if (co64 !== null) {
    const chunks = co64.u32(4);
    co64.table(8, chunks, 8);
    return { chunks, offsetOf: (chunk) => co64.u64(8 + chunk * 8) };
  }
  const stco = stbl.required("stco");
  const chunks = stco.u32(4);
  const table = stco.table(8, chunks, 4);
  return { chunks, offsetOf: (chunk) => table.getUint32(chunk * 4) };
}

/** Collects runs of samples: joins neighbours that touch, splits long ones, checks that they lie in the file. */
export class ChunkLayout {
  readonly #box: Box;
  readonly #sizes: Column;
  readonly #fileSize: number;
  readonly #offsets: Float64Array;
  readonly #starts: Uint32Array;
  readonly #entries: Uint32Array;
  #count = 0;
  #end = -1;

  /** `capacity`: how many runs there can be, once long ones are split. */
  constructor(box: Box, sizes: Column, fileSize: number, capacity: number) {
    this.#box = box;
    this.#sizes = sizes;
    this.#fileSize = fileSize;
    this.#offsets = new Float64Array(capacity);
    this.#starts = new Uint32Array(capacity + 1);
    this.#entries = new Uint32Array(capacity);
  }

  /** Samples `first` up to `end` lie one after the other from `offset`. */
  add(offset: number, first: number, end: number, description: number): void {
    for (let start = first; start < end; start += maxChunkSamples) {
      offset = this.#addRun(offset, start, Math.min(end, start + maxChunkSamples), description);
    }
  }

  #addRun(offset: number, first: number, end: number, description: number): number {
    let next = offset;
    for (let sample = first; sample < end; sample++) next += valueAt(this.#sizes, sample);
    if (next > this.#fileSize) {
      this.#box.fail("samples lie past the end of the file", {
        offset,
        expected: next,
        got: this.#fileSize,
        code: "truncated",
      });
    }
    const last = this.#count - 1;
    const joins =
      this.#end === offset && this.#entries[last] === description && end - (this.#starts[last] ?? 0) <= maxChunkSamples;
    if (!joins) {
      this.#offsets[this.#count] = offset;
      this.#starts[this.#count] = first;
      this.#entries[this.#count] = description;
      this.#count++;
    }
    this.#end = next;
    return next;
  }

  finish(count: number): Chunks {
    const chunkStarts = this.#starts.slice(0, this.#count + 1);
    chunkStarts[this.#count] = count;
    return {
      chunkOffsets: narrow(this.#offsets.subarray(0, this.#count)),
      chunkStarts,
      chunkEntries: narrow(this.#entries.subarray(0, this.#count)),
    };
  }
}
