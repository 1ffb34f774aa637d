import type { Principal } from "../../auth/contract.ts";
import type { ServiceProxy } from "../../bus/proxy.ts";
import type { mainContract } from "../../main/contract.ts";
import type { StreamHandle, StreamSummary, streamingContract } from "../contract.ts";
import { noSuchStream, type StreamControllers } from "./stream-controllers.ts";

export type StreamAction = "pause" | "resume" | "stop";

export interface StreamDirectoryOptions {
  readonly instance: string;
  readonly controllers: StreamControllers;
  readonly main: Pick<ServiceProxy<typeof mainContract>, "listServices">;
  readonly streaming: Pick<ServiceProxy<typeof streamingContract>, "listStreams" | "refreshStream" | "controlStream">;
}

/** Every instance's stream controllers. What this one does not hold is asked of the one that does, over the bus. */
export class StreamDirectory {
  readonly #options: StreamDirectoryOptions;

  constructor(options: StreamDirectoryOptions) {
    this.#options = options;
  }

  /** A user's own, or all of them with null; the newest first. */
  async list(userId: string | null): Promise<StreamSummary[]> {
    const items = [...this.#options.controllers.list(userId), ...(await this.#elsewhere({ userId }))];
    return items.sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  /** How many a user has on other instances. */
  async countElsewhere(userId: string): Promise<number> {
    return (await this.#elsewhere({ userId })).length;
  }

  /** One of them, for its owner or an admin; `NotFoundError` for others. */
  async get(id: string, who: Principal): Promise<StreamSummary> {
    const { controllers } = this.#options;
    if (controllers.has(id)) return controllers.get(id, who);
    const [found] = await this.#elsewhere({ userId: who.role === "admin" ? null : who.userId, id });
    if (!found) throw noSuchStream();
    return found;
  }

  async refresh(id: string, who: Principal, expiresAtMs: number): Promise<StreamHandle> {
    const { controllers, streaming } = this.#options;
    if (controllers.has(id)) return controllers.refresh(id, who, expiresAtMs);
    const { instance } = await this.get(id, who);
    return streaming.refreshStream({ id, who, expiresAt: new Date(expiresAtMs).toISOString() }, { instance });
  }

  async control(id: string, who: Principal, action: StreamAction): Promise<StreamSummary> {
    const { controllers, streaming } = this.#options;
    if (controllers.has(id)) return controllers[action](id, who);
    const { instance } = await this.get(id, who);
    return streaming.controlStream({ id, who, action }, { instance });
  }

  /** Ids of all streams of all instances. Throws when one of them does not answer. */
  async allIds(): Promise<Set<string>> {
    const { controllers } = this.#options;
    const elsewhere = await Promise.all((await this.#peers()).map((instance) => this.#ask(instance, { userId: null })));
    return new Set([...controllers.list(null), ...elsewhere.flat()].map(({ id }) => id));
  }

  /** What the others hold. One that is gone, or does not answer, holds nothing that could be told of. */
  async #elsewhere(which: { userId: string | null; id?: string }): Promise<StreamSummary[]> {
    const answers = await Promise.allSettled((await this.#peers()).map((instance) => this.#ask(instance, which)));
    return answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  }

  async #ask(instance: string, which: { userId: string | null; id?: string }): Promise<StreamSummary[]> {
    return (await this.#options.streaming.listStreams(which, { instance })).items;
  }

  async #peers(): Promise<string[]> {
    const { main, instance: own } = this.#options;
    const { items } = await main.listServices({});
    return items.flatMap(({ service, instance }) => (service === "streaming" && instance !== own ? [instance] : []));
  }
}
