/** `bun bench/support/index-once.ts FILE`: builds a file's index once, in a process that has done nothing before. */
import { decodeIndexInTurns, encodeIndexInTurns } from "../../src/media/index-file.ts";
import { MoviePresentation } from "../../src/media/movie-presentation.ts";
import { openMedia } from "../../src/media/open.ts";
import { withFile } from "../../src/streaming/file-bytes.ts";

export interface IndexBuild {
  /** From opening the file to the bytes that are stored, read back once; null bytes: such files are not packaged. */
  readonly ms: number;
  readonly bytes: number | null;
  /** Of all tracks; null where not each is indexed. */
  readonly samples: number | null;
  /** The longest that nobody else had their turn: never more than the CPU this process took meanwhile, so a busy machine counts for nothing. */
  readonly longestHoldMs: number;
}

const tickMs = 5;

async function buildOnce(path: string): Promise<IndexBuild> {
  const began = performance.now();
  let [last, lastCpu, longestHoldMs] = [began, process.cpuUsage(), 0];
  const tick = () => {
    const [now, cpu] = [performance.now(), process.cpuUsage(lastCpu)];
    longestHoldMs = Math.max(longestHoldMs, Math.min(now - last - tickMs, (cpu.user + cpu.system) / 1000));
    [last, lastCpu] = [now, process.cpuUsage()];
  };
  const timer = setInterval(tick, tickMs);
  const { bytes, samples } = await withFile([path], async (file) => {
    const { presentation } = await openMedia(file);
    const tracks = presentation instanceof MoviePresentation ? presentation.movie.tracks : null;
    const index = presentation && (await encodeIndexInTurns(presentation));
    if (index !== null) await decodeIndexInTurns(index);
    return {
      bytes: index?.length ?? null,
      samples: tracks?.reduce((sum, track) => sum + track.samples.count, 0) ?? null,
    };
  });
  tick();
  clearInterval(timer);
  return { ms: performance.now() - began, bytes, samples, longestHoldMs };
}

if (import.meta.main) console.log(JSON.stringify(await buildOnce(Bun.argv[2] ?? "")));
