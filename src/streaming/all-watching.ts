import type { authContract } from "../auth/contract.ts";
import type { ServiceProxy } from "../bus/proxy.ts";
import type { mainContract } from "../main/contract.ts";
import type { streamingContract, Watched } from "./contract.ts";
import type { Watching } from "./watching.ts";

/** How long another instance may take to answer, in milliseconds. */
const ASK_MS = 2_000;

export interface AllWatchingDependencies {
  readonly own: Watching;
  readonly main: Pick<ServiceProxy<typeof mainContract>, "listServices">;
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
    const { main, streaming, instance: self } = this.#dependencies;
    const { items } = await main.listServices({});
    const others = items.flatMap(({ service, instance }) =>
      service === "streaming" && instance !== self ? [instance] : [],
    );
    const answers = await Promise.allSettled([
      this.ownList(),
      ...others.map(async (instance) => (await streaming.listWatching({}, { instance, timeoutMs: ASK_MS })).items),
    ]);
    return answers
      .flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []))
      .sort((a, b) => (a.since < b.since ? 1 : -1));
  }
}
