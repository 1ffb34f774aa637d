import { type FSWatcher, watch } from "node:fs";
import { stat, statfs } from "node:fs/promises";
import { reasonOf } from "./library-files.ts";
import { isPassedOver } from "./library-ignored.ts";

/** File systems that tell only what this machine changes (the `f_type` of statfs), by name. */
const REMOTE: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0xff534d42, "SMB"],
  [0xfe534d42, "SMB"],
  [0x517b, "SMB"],
  [0x65735546, "FUSE"],
  [0x01021997, "9p"],
  [0x00c36400, "Ceph"],
  [0x5346414f, "AFS"],
  [0x47504653, "GPFS"],
]);
/** More changes than this at a time are found by scanning all of it. */
const MAX_PATHS = 2_000;

export interface FolderWatchEvents {
  /** Something at these paths of the folder may have changed; with null anything may have. */
  readonly onChange: (paths: readonly string[] | null) => void;
  /** Nothing more is told. */
  readonly onLost: (reason: string) => void;
  /** A folder in it could not be watched, and may be now: it is to be opened anew. */
  readonly onReadable: () => void;
}

/** Hears of changes below a folder as the system tells them. They are hints: what has changed is found by looking. */
export class FolderWatch {
  readonly #folder: string;
  readonly #fileKey: string;
  readonly #watcher: FSWatcher;

  private constructor(folder: string, fileKey: string, watcher: FSWatcher) {
    this.#folder = folder;
    this.#fileKey = fileKey;
    this.#watcher = watcher;
  }

  /** Watches a folder; a text says why that is not possible. `soonMs` is how long changes are gathered. */
  static async open(folder: string, events: FolderWatchEvents, soonMs: number): Promise<FolderWatch | string> {
    try {
      const remote = REMOTE.get((await statfs(folder)).type >>> 0);
      if (remote) return `Changes on a ${remote} disk are not told by the system.`;
      const { dev, ino } = await stat(folder);
      const gather = new Gather(events.onChange, soonMs);
      const watcher = watch(folder, { recursive: true });
      // Folders in it that may not be read; the scan names them.
      const closed = new Set<string>();
      watcher.on("change", (_event, name) => {
        if (typeof name === "string" && closed.delete(name)) events.onReadable();
        gather.add(typeof name === "string" ? name : null);
      });
      watcher.on("error", (error) => {
        const below = folderBelow(folder, error);
        if (below !== null) {
          closed.add(below);
          return;
        }
        watcher.close();
        events.onLost(explain(error));
      });
      watcher.on("close", () => gather.close());
      return new FolderWatch(folder, `${dev}:${ino}`, watcher);
    } catch (error) {
      return explain(error);
    }
  }

  /** Whether the folder is the one that is watched, and not another disk that was mounted there since. */
  async isCurrent(): Promise<boolean> {
    const state = await stat(this.#folder).catch(() => null);
    return state !== null && `${state.dev}:${state.ino}` === this.#fileKey;
  }

  close(): void {
    this.#watcher.close();
  }
}

/** The folder below this one that an error is about, by its path in it: all the rest is watched. */
function folderBelow(folder: string, error: unknown): string | null {
  const { path, message } = error as NodeJS.ErrnoException;
  if (!path || !/^(EACCES|EPERM|ENOENT|ENOTDIR)\b/.test(message)) return null;
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : null;
}

function explain(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EMFILE") {
    return "The system's limit of watched folders is reached: raise fs.inotify.max_user_watches and max_user_instances.";
  }
  return reasonOf(error);
}

/** Hands on together what comes in a short time. */
class Gather {
  readonly #hand: FolderWatchEvents["onChange"];
  readonly #soonMs: number;
  #paths: Set<string> | null = new Set();
  #timer: Timer | null = null;

  constructor(hand: FolderWatchEvents["onChange"], soonMs: number) {
    this.#hand = hand;
    this.#soonMs = soonMs;
  }

  add(path: string | null): void {
    if (path?.split("/").some(isPassedOver)) return;
    if (path === null || (this.#paths && this.#paths.size >= MAX_PATHS)) this.#paths = null;
    this.#paths?.add(path ?? "");
    this.#timer ??= setTimeout(() => this.#tell(), this.#soonMs);
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
  }

  #tell(): void {
    const paths = this.#paths && [...this.#paths];
    this.#paths = new Set();
    this.#timer = null;
    this.#hand(paths);
  }
}
