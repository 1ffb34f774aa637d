import { ServiceUnavailableError } from "../bus/errors.ts";
import type { CallOptions, ServiceProxy } from "../bus/proxy.ts";
import type { mainContract } from "../main/contract.ts";
import type { streamingContract } from "../streaming/contract.ts";

type Streaming = Pick<ServiceProxy<typeof streamingContract>, "adopt" | "identify">;

export interface NearStreamingDependencies {
  readonly main: Pick<ServiceProxy<typeof mainContract>, "listServices">;
  readonly streaming: Streaming;
  /** The store that uploads arrive in. */
  readonly place: string;
}

const LIST_MS = 2_000;

/** The streaming instances that reach the store which this instance uploads to. */
export class NearStreaming implements Streaming {
  readonly #dependencies: NearStreamingDependencies;

  constructor(dependencies: NearStreamingDependencies) {
    this.#dependencies = dependencies;
  }

  readonly adopt: Streaming["adopt"] = (input, options) => {
    const { streaming, place } = this.#dependencies;
    return this.#ask((target) => streaming.adopt({ ...input, place }, { ...options, ...target }));
  };

  readonly identify: Streaming["identify"] = (input, options) =>
    this.#ask((target) => this.#dependencies.streaming.identify(input, { ...options, ...target }));

  /** Asks those that are known to reach the store, one after the other; any when none is known to. */
  async #ask<T>(call: (target: Pick<CallOptions, "instance">) => Promise<T>): Promise<T> {
    for (const instance of await this.#instances()) {
      try {
        return await call({ instance });
      } catch (error) {
        if (!(error instanceof ServiceUnavailableError)) throw error;
      }
    }
    return call({});
  }

  async #instances(): Promise<string[]> {
    try {
      const { items } = await this.#dependencies.main.listServices({}, { timeoutMs: LIST_MS });
      const near = items.filter(({ service, store }) => service === "streaming" && store === this.#dependencies.place);
      return near.map(({ instance }) => instance);
    } catch {
      // Whoever is asked refuses what lies in a store that it does not reach.
      return [];
    }
  }
}
