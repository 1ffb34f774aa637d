import type { Logger } from "pino";
import type { HandlerFailure } from "../adapters/memory/memory-bus.ts";
import type { Bus } from "../bus/bus.ts";
import type { ServiceName } from "../bus/contract.ts";
import type { PermissionTable } from "../bus/permissions.ts";
import type { Config } from "../config/schema.ts";
import type { Outages } from "./outages.ts";

/** Makes the bus; what its handlers throw is handed to `onFailure`. */
export type OpenBus = (permissions: PermissionTable, onFailure: HandlerFailure) => Bus | Promise<Bus>;

/** What must be closed, in the reverse of the order it was opened in. */
export class Opened {
  readonly #closers: (() => unknown)[] = [];

  add(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** Closes all of it, whatever fails; throws the first failure. Calling it again does nothing. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.#closers.pop(); close; close = this.#closers.pop()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

export interface Composition {
  readonly config: Config;
  readonly names: readonly ServiceName[];
  readonly log: Logger;
  readonly openBus: OpenBus;
  readonly outages: Outages;
  readonly opened: Opened;
}
