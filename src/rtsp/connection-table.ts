import type { Logger } from "pino";
import type { RtspConnection } from "./connection.ts";
import type { RtspLimits } from "./limits.ts";

/** The connections of a server: who may have one more. */
export class ConnectionTable implements Iterable<RtspConnection> {
  readonly #limits: RtspLimits;
  readonly #log: Logger;
  readonly #connections = new Set<RtspConnection>();
  /** Refused since the log last told of it, and when it did. */
  #refused = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(limits: RtspLimits, log: Logger) {
    this.#limits = limits;
    this.#log = log;
  }

  [Symbol.iterator](): Iterator<RtspConnection> {
    return this.#connections.values();
  }

  get size(): number {
    return this.#connections.size;
  }

  /**
   * Whether one more connection from this network has a place. Among those of the network, and among all, whoever has
   * waited longest without a right to anything makes it.
   */
  makeRoom(network: string): boolean {
    const { connections, connectionsOfAddress } = this.#limits;
    const ofNetwork = [...this.#connections].filter((connection) => connection.network === network);
    if (makeRoomAmong(ofNetwork, connectionsOfAddress) && makeRoomAmong([...this.#connections], connections))
      return true;
    this.#refused++;
    this.tell(performance.now());
    return false;
  }

  add(connection: RtspConnection): void {
    this.#connections.add(connection);
  }

  delete(connection: RtspConnection): void {
    this.#connections.delete(connection);
  }

  /** Tells the log of those that were refused, in one line every now and then however many they are. */
  tell(now: number): void {
    if (this.#refused === 0 || now - this.#toldAt < this.#limits.refusalsToldEveryMs) return;
    this.#log.warn({ refused: this.#refused, connections: this.size }, "RTSP connections refused: too many");
    this.#refused = 0;
    this.#toldAt = now;
  }
}

function makeRoomAmong(connections: readonly RtspConnection[], limit: number): boolean {
  if (connections.length < limit) return true;
  const waiting = connections.find(({ isAuthorised }) => !isAuthorised);
  waiting?.close("others wait");
  return waiting !== undefined;
}
