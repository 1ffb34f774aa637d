import { type Column, SampleTable } from "../sample-table.ts";
import type { Box } from "./box.ts";
import { ChunkLayout, type Chunks } from "./chunk-layout.ts";
import { ChunkPlacer } from "./chunk-placer.ts";
import { columnOfWords, expandRuns, readColumn, readWords } from "./columns.ts";
import type { FileLimits } from "./file-limits.ts";

/** Samples that are placed before others have their turn. */
const placedAtOnce = 2 ** 15;

/**
 * Reads `stbl` (ISO/IEC 14496-12 section 8.5 to 8.7). Fails as `truncated` when samples lie past the file's end.
 * `descriptions`: for each entry of `stsd` the number of the one to use.
 */
export async function readSampleTable(
  stbl: Box,
  limits: FileLimits,
  descriptions: readonly number[],
): Promise<SampleTable> {
  const { count, sizes } = await readSizes(stbl, limits);
  const table = new SampleTable({
    count,
    sizes,
    durations: await readDurations(stbl, limits, count),
    compositionOffsets: await readCompositionOffsets(stbl, limits, count),
    syncSamples: await readSyncSamples(stbl, limits, count),
    ...(await readChunks(stbl, limits, { count, sizes, descriptions })),
  });
  if (!Number.isSafeInteger(table.totalDuration)) stbl.fail("the video is longer than any clock");
  return table;
}

interface Sizes {
  readonly count: number;
  readonly sizes: Column;
}

async function readSizes(stbl: Box, limits: FileLimits): Promise<Sizes> {
  const stsz = stbl.child("stsz");
  if (stsz === null) return readCompactSizes(stbl.child("stz2") ?? stbl.required("stsz"), limits);
  const constant = stsz.u32(4);
  const count = stsz.u32(8);
  if (constant !== 0 && count * constant > limits.fileSize) {
    const details = { expected: count * constant, got: limits.fileSize };
    stsz.fail("samples lie past the end of the file", { ...details, code: "truncated" });
  }
  if (constant !== 0) return readSizeColumn(stsz, limits, count, constant);
  stsz.need(12, count * 4);
  limits.addSamples(stsz, count);
  const { column, sum } = await columnOfWords(limits, stsz, await readWords(limits, stsz, 12, count));
  limits.addSampleBytes(stsz, sum);
  return { count, sizes: column };
}

/** `stz2`: sizes of 4, 8 or 16 bits. */
function readCompactSizes(stz2: Box, limits: FileLimits): Promise<Sizes> {
  const bits = stz2.u8(7);
  if (![4, 8, 16].includes(bits)) stz2.fail("unknown field size", { expected: "4, 8 or 16", got: bits });
  const count = stz2.u32(8);
  stz2.need(12, Math.ceil((count * bits) / 8));
  return readSizeColumn(stz2, limits, count, (i) => {
    if (bits === 16) return stz2.u16(12 + i * 2);
    if (bits === 8) return stz2.u8(12 + i);
    return (stz2.u8(12 + (i >> 1)) >> (i % 2 === 0 ? 4 : 0)) & 15;
  });
}

async function readSizeColumn(
  box: Box,
  limits: FileLimits,
  count: number,
  sizeOf: number | ((sample: number) => number),
): Promise<Sizes> {
  limits.addSamples(box, count);
  const one = typeof sizeOf === "number";
  const { column, sum } = await readColumn(limits, box, one ? 1 : count, one ? () => sizeOf : sizeOf);
  limits.addSampleBytes(box, one ? count * sizeOf : sum);
  return { count, sizes: column };
}

/** `stts`. Too short a table repeats its last value, as players do. */
async function readDurations(stbl: Box, limits: FileLimits, count: number): Promise<Column> {
  const stts = stbl.required("stts");
  const entries = stts.u32(4);
  const words = await readWords(limits, stts, 8, entries * 2);
  // A delta of 2^31 and more is a negative one by a careless writer.
  const last = (words[entries * 2 - 1] ?? 0) | 0;
  return expandRuns(limits, stts, count, { entries, words, least: 0, otherwise: Math.max(0, last) });
}

/** `ctts`. Version 0 is read as signed too: QuickTime writes negative offsets into it. */
async function readCompositionOffsets(stbl: Box, limits: FileLimits, count: number): Promise<Column> {
  const ctts = stbl.child("ctts");
  if (ctts === null) return Uint8Array.of(0);
  const entries = ctts.u32(4);
  const words = await readWords(limits, ctts, 8, entries * 2);
  return expandRuns(limits, ctts, count, { entries, words, least: Number.NEGATIVE_INFINITY, otherwise: 0 });
}

/** `stss`; null when it is missing, which means that every sample is a sync sample. */
async function readSyncSamples(stbl: Box, limits: FileLimits, count: number): Promise<Uint32Array | null> {
  const stss = stbl.child("stss");
  if (stss === null) return null;
  const entries = stss.u32(4);
  const words = await readWords(limits, stss, 8, entries);
  const most = Math.min(entries, count);
  limits.addIndexBytes(stss, most * 4);
  const samples = new Uint32Array(most);
  let kept = 0;
  let last = -1;
  await limits.inSlices(entries, (from, to) => {
    for (let entry = from; entry < to && kept < most; entry++) {
      const sample = (words[entry] ?? 0) - 1;
      if (sample <= last || sample >= count) continue;
      samples[kept++] = sample;
      last = sample;
    }
    return kept < most;
  });
  return kept === most ? samples : samples.slice(0, kept);
}

/** `stsc` with `stco` or `co64`: where each run of samples starts. */
async function readChunks(
  stbl: Box,
  limits: FileLimits,
  { count, sizes, descriptions }: { count: number; sizes: Column; descriptions: readonly number[] },
): Promise<Chunks> {
  const offsets = await readChunkOffsets(stbl, limits);
  const stsc = stbl.required("stsc");
  const runs = await readWords(limits, stsc, 8, stsc.u32(4) * 3);
  const most = { runs: Math.min(offsets.chunks, count), samples: count };
  const layout = new ChunkLayout(stbl, sizes, limits.fileSize, most);
  const placer = new ChunkPlacer(layout, { ...offsets, stsc, runs, descriptions });
  for (let steps = placer.place(placedAtOnce); steps > 0; steps = placer.place(placedAtOnce)) {
    await limits.worked(steps);
  }
  if (placer.sample < count) stsc.fail("samples belong to no chunk", { expected: count, got: placer.sample });
  return layout.finish(limits, count);
}

/** Where chunks start. */
async function readChunkOffsets(stbl: Box, limits: FileLimits) {
  const co64 = stbl.child("co64");
  const box = co64 ?? stbl.required("stco");
  const chunks = box.u32(4);
  const offsets = await readWords(limits, box, 8, co64 === null ? chunks : chunks * 2);
  return { chunks, offsets, isWide: co64 !== null };
}
