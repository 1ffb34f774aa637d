import type { Principal } from "../../auth/contract.ts";
import type { Peers } from "../../bus/peers.ts";
import type { CallOptions, ServiceProxy } from "../../bus/proxy.ts";
import type { StreamHandle, StreamSummary, streamingContract } from "../contract.ts";
import { noSuchStream, type StreamControllers } from "./stream-controllers.ts";

export type StreamAction = "pause" | "resume" | "stop";

export interface StreamDirectoryOptions {
  readonly controllers: StreamControllers;
  readonly peers: Pick<Peers, "others" | "askAll">;
  readonly streaming: Pick<ServiceProxy<typeof streamingContract>, "listStreams" | "refreshStream" | "controlStream">;
}

type WhichStreams = Parameters<StreamDirectoryOptions["streaming"]["listStreams"]>[0];

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
    const ask = ({ instance }: CallOptions) => this.#ask({ userId: null }, { instance });
    const elsewhere = await Promise.all((await this.#options.peers.others()).map(ask));
    return new Set([...controllers.list(null), ...elsewhere.flat()].map(({ id }) => id));
  }

  /** What the others hold. One that is gone, or does not answer, holds nothing that could be told of. */
  async #elsewhere(which: WhichStreams): Promise<StreamSummary[]> {
    return (await this.#options.peers.askAll([], (target) => this.#ask(which, target))).answers.flat();
  }

  async #ask(which: WhichStreams, target: CallOptions): Promise<StreamSummary[]> {
    return (await this.#options.streaming.listStreams(which, target)).items;
  }
}
