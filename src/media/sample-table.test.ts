import { expect, test } from "bun:test";
import { narrow, SampleTable } from "./sample-table.ts";

/** A table of 1,000 chunks of these lengths, the last half of them beyond 4 GiB, and where each sample is, counted out. */
function tableOf(lengthOf: (chunk: number) => number) {
  const lengths = Uint32Array.from({ length: 1000 }, (_, chunk) => lengthOf(chunk));
  const offsets = Float64Array.from(lengths, (_, chunk) => chunk * 2 ** 23 + 5);
  const count = lengths.reduce((sum, length) => sum + length, 0);
  const sizes = Uint32Array.from({ length: count }, (_, i) => 1 + (i % 7));
  const samples = [...lengths].flatMap((length, chunk) => Array.from({ length }, (_, i) => ({ chunk, i })));
  const table = new SampleTable({
    count,
    sizes: narrow(sizes),
    durations: new Uint8Array([1]),
    compositionOffsets: new Uint8Array([0]),
    syncSamples: null,
    chunkOffsets: narrow(offsets.map((offset) => offset % 2 ** 32)),
    chunkOffsetsHigh: narrow(offsets.map((offset) => Math.floor(offset / 2 ** 32))),
    chunkLengths: narrow(lengths),
    chunkEntries: new Uint8Array([1]),
  });
  let at = 0;
  const expected = samples.map(({ chunk, i }, sample) => {
    at = i === 0 ? (offsets[chunk] ?? 0) : at + (sizes[sample - 1] ?? 0);
    return { chunk, offset: at, start: sample - i };
  });
  return { table, expected };
}

test("samples are found in chunks of one length and of many, in files beyond 4 GiB", () => {
  for (const lengthOf of [() => 1, () => 3, (chunk: number) => 1 + ((chunk * 7919) % 13)]) {
    const { table, expected } = tableOf(lengthOf);
    const found = expected.map((_, sample) => {
      const chunk = table.chunkOf(sample);
      return { chunk, offset: table.offsetOf(sample), start: table.chunkStart(chunk) };
    });
    expect(found).toEqual(expected);
  }
});

test("where a chunk starts takes five bytes beyond 4 GiB, and its length one", () => {
  const { columns } = tableOf((chunk) => 1 + (chunk % 200)).table;
  const { chunkOffsets, chunkOffsetsHigh, chunkLengths } = columns;
  expect([chunkOffsets, chunkOffsetsHigh, chunkLengths].map((column) => column.byteLength / 1000)).toEqual([4, 1, 1]);
});
