import { opendir, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { LRUCache } from "lru-cache";
import type { Cue } from "../media/text/cue.ts";
import { readSubtitleFile } from "../media/text/subtitle-file.ts";
import type { TextInfo } from "../media/text/subtitle-info.ts";
import type { LocatedFile } from "./file-bytes.ts";
import { locateInside } from "./located-inside.ts";
import { isSubtitleName, sidecarInfo } from "./sidecar-names.ts";
import type { Source } from "./source.ts";

/** Larger files are no subtitles of one video. */
const MAX_BYTES = 4 * 2 ** 20;
/** Subtitle files that are looked at in one folder, and that belong to one video. */
const MAX_IN_FOLDER = 20_000;
const MAX_OF_VIDEO = 64;
const FOLDERS_KEPT = 500;
/** Largest sum of subtitle files whose cues are kept. */
const CUES_BYTES = 16 * 2 ** 20;
/** A folder that changed less than this long ago may change again without another time stamp, in milliseconds. */
const SETTLED_MS = 2000;

/** A subtitle file beside a library file. */
export interface Sidecar extends TextInfo {
  readonly file: LocatedFile;
}

interface Listing {
  readonly mtimeMs: number;
  readonly names: readonly string[];
}

/** Finds and reads subtitle files in library folders. Nothing is kept longer than the folder stays as it is. */
export class Sidecars {
  readonly #listings = new LRUCache<string, Listing>({ max: FOLDERS_KEPT });
  readonly #cues = new LRUCache<string, readonly Cue[]>({ maxSize: CUES_BYTES });

  /** The subtitle files of a source, by name; none for uploads. What cannot be read is left out. */
  async of({ folder, path }: Pick<Source, "folder" | "path">): Promise<Sidecar[]> {
    if (folder === null || path === null) return [];
    const inside = dirname(path);
    const stem = basename(path, extname(path));
    try {
      const named = (await this.#namesIn(join(folder, inside))).filter((name) => sidecarInfo(stem, name) !== null);
      const found = named.slice(0, MAX_OF_VIDEO).map((name) => this.#find(folder, join(inside, name), stem));
      return (await Promise.all(found)).filter((sidecar) => sidecar !== null);
    } catch {
      return [];
    }
  }

  /** The cues of a subtitle file. */
  async cuesOf({ file }: Sidecar): Promise<readonly Cue[]> {
    const key = `${file.path}:${file.size}:${file.mtimeMs}`;
    const known = this.#cues.get(key);
    if (known) return known;
    const bytes = await file.open();
    try {
      const cues = readSubtitleFile(await bytes.read(0, file.size));
      this.#cues.set(key, cues, { size: 1 + file.size * 4 });
      return cues;
    } finally {
      await bytes.close();
    }
  }

  async #find(folder: string, path: string, stem: string): Promise<Sidecar | null> {
    const info = sidecarInfo(stem, basename(path));
    try {
      const file = await locateInside(folder, path);
      return info === null || file.size > MAX_BYTES ? null : { ...info, file };
    } catch {
      return null;
    }
  }

  /** Names of subtitle files in a folder, sorted. */
  async #namesIn(folder: string): Promise<readonly string[]> {
    const { mtimeMs } = await stat(folder);
    const known = this.#listings.get(folder);
    if (known?.mtimeMs === mtimeMs) return known.names;
    const names: string[] = [];
    for await (const { name } of await opendir(folder)) {
      if (isSubtitleName(name) && !name.startsWith(".") && names.length < MAX_IN_FOLDER) names.push(name);
    }
    names.sort();
    if (Date.now() - mtimeMs > SETTLED_MS) this.#listings.set(folder, { mtimeMs, names });
    return names;
  }
}
