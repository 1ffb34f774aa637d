/** `bun bench/support/index-once.ts FILE`: builds a file's index once, in a process that has done nothing before. */
import { encodeIndex } from "../../src/media/index-file.ts";
import { MoviePresentation } from "../../src/media/movie-presentation.ts";
import { openMedia } from "../../src/media/open.ts";
import { withFile } from "../../src/streaming/file-bytes.ts";

export interface IndexBuild {
  /** From opening the file to the bytes that are stored; null bytes: such files are not packaged. */
  readonly ms: number;
  readonly bytes: number | null;
  /** Of all tracks; null where not each is indexed. */
  readonly samples: number | null;
  /** The longest that nobody else had their turn. */
  readonly longestHoldMs: number;
}

const tickMs = 5;

async function buildOnce(path: string): Promise<IndexBuild> {
  const began = performance.now();
  let [last, longestHoldMs] = [began, 0];
  const tick = () => {
    const now = performance.now();
    longestHoldMs = Math.max(longestHoldMs, now - last - tickMs);
    last = now;
  };
  const timer = setInterval(tick, tickMs);
  const { bytes, samples } = await withFile([path], async (file) => {
    const { presentation } = await openMedia(file);
    const tracks = presentation instanceof MoviePresentation ? presentation.movie.tracks : null;
    return {
      bytes: presentation && encodeIndex(presentation).length,
      samples: tracks?.reduce((sum, track) => sum + track.samples.count, 0) ?? null,
    };
  });
  tick();
  clearInterval(timer);
  return { ms: performance.now() - began, bytes, samples, longestHoldMs };
}

if (import.meta.main) console.log(JSON.stringify(await buildOnce(Bun.argv[2] ?? "")));
