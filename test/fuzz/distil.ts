/**
 * `bun --preload ./test/fuzz/instrument.ts test/fuzz/distil.ts`: copies into the repository's corpus the smallest of the
 * inputs that long runs kept, each of which reaches a branch that no other there does.
 */
import { copyFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Coverage } from "./coverage.ts";
import { corpusFolder, keptFolder } from "./fuzz.ts";
import { targetOf, targets } from "./targets.ts";

const maxCorpusBytes = 700 * 1024;

const coverage = await Coverage.start({ counts: false });
if (coverage === null) throw new Error("Preload instrument.ts, or nothing is counted.");

async function reachesNews(path: string): Promise<boolean> {
  const target = targetOf(path);
  // What fails is a matter for a fix, not for the corpus.
  if (target !== null) await targets[target].exercise(await Bun.file(path).bytes()).catch(() => undefined);
  return coverage?.takeNews() ?? false;
}

const pathsIn = (folder: string) => readdirSync(folder).map((name) => join(folder, name));
const sizeOf = (path: string) => statSync(path).size;

let bytes = 0;
for (const path of pathsIn(corpusFolder)) {
  await reachesNews(path);
  bytes += sizeOf(path);
}
for (const path of pathsIn(keptFolder).toSorted((a, b) => sizeOf(a) - sizeOf(b))) {
  if (!(await reachesNews(path)) || bytes + sizeOf(path) > maxCorpusBytes) continue;
  bytes += sizeOf(path);
  copyFileSync(path, join(corpusFolder, `found-${path.slice(path.lastIndexOf("/") + 1)}`));
}
const { covered, total } = coverage.summary().branches;
console.log(`${readdirSync(corpusFolder).length} files, ${bytes} bytes: ${covered} of ${total} branches`);
