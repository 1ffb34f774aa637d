/** `bun bench/support/many-samples.ts FILE`: an MP4 whose index is near the largest that is taken (64 MiB). */
import { craftMovie } from "../../test/support/crafted-movie.ts";

const count = 4_000_000;

const byIndex = (number: (i: number) => number, length = count) => Uint32Array.from({ length }, (_, i) => number(i));
const video = {
  count,
  sizes: byIndex((i) => 1 + (i % 3)),
  durations: byIndex((i) => (i % 2 === 0 ? 1 : 39 + (Math.floor(i / 2) % 300)), count * 2),
  offsets: byIndex((i) => (i % 2 === 0 ? 1 : (Math.floor(i / 2) % 3) * 400), count * 2),
  // Three bytes apart, so that no two of them touch.
  chunkOffsets: byIndex((i) => i * 5),
  chunkRuns: [[1, 1, 1]] as const,
  sync: byIndex((i) => 1 + i * 50, count / 50),
};
await Bun.write(Bun.argv[2] ?? "", craftMovie([video], count * 5));
