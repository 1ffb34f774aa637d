import type { mainContract, ServiceInstance } from "../main/contract.ts";
import type { ServiceName } from "./contract.ts";
import type { CallOptions, ServiceProxy } from "./proxy.ts";

/** How long main, or an instance that is asked, may take to answer unless said otherwise, in milliseconds. */
const ANSWER_MS = 2_000;

export interface PeersOptions {
  readonly main: Pick<ServiceProxy<typeof mainContract>, "listServices">;
  /** Whose instances. */
  readonly service: ServiceName;
  /** This one, which is not asked over the bus. */
  readonly instance: string;
  /** How long each may take, in milliseconds; 2,000 when absent. */
  readonly timeoutMs?: number;
}

/** What all instances answered. */
export interface PeerAnswers<T> {
  /** Of this instance first; who did not answer is not among them. */
  readonly answers: readonly T[];
  /** Live instances that did not answer in time. */
  readonly missing: string[];
}

/** The live instances of a service, as one of them asks the others. */
export class Peers {
  readonly #options: PeersOptions;

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  /** The others. Rejects when main cannot be asked. */
  async others(): Promise<ServiceInstance[]> {
    const { main, service, instance: own, timeoutMs = ANSWER_MS } = this.#options;
    const { items } = await main.listServices({}, { timeoutMs });
    return items.filter((item) => item.service === service && item.instance !== own);
  }

  /**
   * Asks every other instance at the same time and puts its own answer, which needs no call, before theirs. Rejects when the own
   * answer does, or when nobody knows the others; what one of the others throws counts as no answer.
   */
  async askAll<T>(
    own: T | Promise<T>,
    ask: (target: CallOptions) => Promise<T>,
    others: Promise<readonly ServiceInstance[]> = this.others(),
  ): Promise<PeerAnswers<T>> {
    const { timeoutMs = ANSWER_MS } = this.#options;
    const [mine, asked] = await Promise.all([own, others]);
    const theirs = await Promise.allSettled(asked.map(({ instance }) => ask({ instance, timeoutMs })));
    return {
      answers: [mine, ...theirs.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []))],
      missing: asked.filter((_, index) => theirs[index]?.status === "rejected").map(({ instance }) => instance),
    };
  }
}
