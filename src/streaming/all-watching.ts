import type { authContract } from "../auth/contract.ts";
import type { Peers } from "../bus/peers.ts";
import type { ServiceProxy } from "../bus/proxy.ts";
import type { streamingContract, Watched } from "./contract.ts";
import type { Watching } from "./watching.ts";

export interface AllWatchingDependencies {
  readonly own: Watching;
  readonly peers: Pick<Peers, "askAll">;
  readonly streaming: Pick<ServiceProxy<typeof streamingContract>, "listWatching">;
  readonly auth: Pick<ServiceProxy<typeof authContract>, "getUsers">;
  /** This instance. */
  readonly instance: string;
}

/** What is being watched from all live instances. */
export class AllWatching {
  readonly #dependencies: AllWatchingDependencies;

  constructor(dependencies: AllWatchingDependencies) {
    this.#dependencies = dependencies;
  }

  /** What is watched from this very instance, with the names of those who gave links. */
  async ownList(): Promise<Watched[]> {
    const { own, auth, instance } = this.#dependencies;
    const listed = own.list();
    const unnamed = new Set(
      listed.flatMap(({ userId, username }) => (userId !== null && username === null ? [userId] : [])),
    );
    const users = unnamed.size === 0 ? [] : await auth.getUsers({ ids: [...unnamed] });
    const names = new Map(users.map(({ id, username }) => [id, username]));
    return listed.map(({ userId, username, ...viewing }) => {
      const name = username ?? names.get(userId ?? "");
      return { ...viewing, instance, user: userId !== null && name ? { id: userId, username: name } : null };
    });
  }

  /** The newest first. An instance that does not answer in time is left out. */
  async list(): Promise<Watched[]> {
    const { peers, streaming } = this.#dependencies;
    const asked = await peers.askAll(
      this.ownList(),
      async (target) => (await streaming.listWatching({}, target)).items,
    );
    return asked.answers.flat().sort((a, b) => (a.since < b.since ? 1 : -1));
  }
}
