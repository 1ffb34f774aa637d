import { z } from "zod";
import type { ConfigFolder } from "./config-folder.ts";

const FILE = "servers.json";

const savedServer = z.object({
  userId: z.string(),
  username: z.string(),
  /** The session cookie's name and value: whoever has it is signed in. */
  session: z.string(),
  /** When the session was last prolonged, ISO 8601. */
  usedAt: z.iso.datetime(),
});
export type SavedServer = z.infer<typeof savedServer>;

const savedServers = z.object({
  version: z.literal(1),
  /** The origin of the server that commands go to without `--server`. */
  current: z.string().nullable(),
  servers: z.record(z.string(), savedServer),
});

/** The servers somebody is signed in to, by origin, and which of them is meant when none is named. */
export class SavedServers {
  readonly #folder: ConfigFolder;

  constructor(folder: ConfigFolder) {
    this.#folder = folder;
  }

  get current(): string | null {
    return this.#read().current;
  }

  get origins(): string[] {
    return Object.keys(this.#read().servers);
  }

  get(origin: string): SavedServer | null {
    return this.#read().servers[origin] ?? null;
  }

  /** Keeps a sign-in; commands go to this server from now on when `select` is set. */
  put(origin: string, server: SavedServer, select: boolean): void {
    const before = this.#read();
    this.#folder.write(FILE, {
      version: 1,
      current: select ? origin : before.current,
      servers: { ...before.servers, [origin]: server },
    });
  }

  remove(origin: string): void {
    const { current, servers } = this.#read();
    const rest = Object.fromEntries(Object.entries(servers).filter(([name]) => name !== origin));
    this.#folder.write(FILE, {
      version: 1,
      current: current === origin ? (Object.keys(rest)[0] ?? null) : current,
      servers: rest,
    });
  }

  #read(): z.infer<typeof savedServers> {
    return this.#folder.read(FILE, savedServers) ?? { version: 1, current: null, servers: {} };
  }
}
