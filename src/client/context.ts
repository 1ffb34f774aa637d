import { readClientEnvironment } from "../config/client-environment.ts";
import { Api, notSignedIn } from "./api.ts";
import { ConfigFolder } from "./config-folder.ts";
import { SavedServers } from "./saved-servers.ts";
import { DEFAULT_SERVER, serverOrigin } from "./server-address.ts";
import { Output } from "./terminal/output.ts";

/** The session is prolonged when it was not for this long. */
const PROLONG_AFTER_MS = 24 * 3_600_000;

/** Options that every command of the client has. */
export interface ClientOptions {
  readonly server?: string;
  readonly json?: boolean;
}

/** What a command works with. */
export class ClientContext {
  readonly out: Output;
  readonly path: string;
  readonly folder: ConfigFolder;
  readonly servers: SavedServers;
  readonly #server: string | undefined;

  constructor(options: ClientOptions, env = readClientEnvironment()) {
    this.out = new Output(options.json === true, env);
    this.path = env.path;
    this.folder = new ConfigFolder(env.configFolder, (text) => this.out.note(text));
    this.servers = new SavedServers(this.folder);
    this.#server = options.server;
  }

  /** Whether somebody can be asked: at a terminal, and not for a program. */
  get isInteractive(): boolean {
    return !this.out.json && process.stdin.isTTY === true && process.stderr.isTTY === true;
  }

  /** The server that is meant: `--server`, else the one signed in to last. */
  get origin(): string {
    return this.#server === undefined ? (this.servers.current ?? DEFAULT_SERVER) : serverOrigin(this.#server);
  }

  /** The server's interface as the person signed in; `not-signed-in` when nobody is. */
  async connect(origin = this.origin): Promise<Api> {
    const saved = this.servers.get(origin);
    if (!saved) throw notSignedIn(origin);
    const api = new Api(origin, saved.session);
    if (Date.now() - Date.parse(saved.usedAt) > PROLONG_AFTER_MS) {
      const { id, username } = await api.whoAmI();
      const session = api.session ?? saved.session;
      this.servers.put(origin, { userId: id, username, session, usedAt: new Date().toISOString() }, false);
    }
    return api;
  }
}
