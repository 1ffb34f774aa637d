/** `bun bench/support/index-once.ts FILE`: builds a file's index once, in a process that has done nothing before. */
import { encodeIndex } from "../../src/media/index-file.ts";
import { openMedia } from "../../src/media/open.ts";
import { withFile } from "../../src/streaming/file-bytes.ts";

export interface IndexBuild {
  /** From opening the file to the bytes that are stored; null bytes: such files are not packaged. */
  readonly ms: number;
  readonly bytes: number | null;
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
  const bytes = await withFile([path], async (file) => {
    const { presentation } = await openMedia(file);
    return presentation && encodeIndex(presentation).length;
  });
  tick();
  clearInterval(timer);
  return { ms: performance.now() - began, bytes, longestHoldMs };
}

if (import.meta.main) console.log(JSON.stringify(await buildOnce(Bun.argv[2] ?? "")));
