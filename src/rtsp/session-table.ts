import type { RtspConnection } from "./connection.ts";
import { RtspError } from "./errors.ts";
import type { RtspLimits } from "./limits.ts";
import type { RtspSession } from "./session.ts";
import type { OpenTitle } from "./titles.ts";

interface Held {
  readonly session: RtspSession;
  /** Where it was set up. Over UDP it may outlive it. */
  readonly connection: RtspConnection;
}

/** The sessions of a server: who may have one more, and which one a connection may steer. */
export class SessionTable {
  readonly #limits: RtspLimits;
  readonly #held = new Map<string, Held>();

  constructor(limits: RtspLimits) {
    this.#limits = limits;
  }

  /** All of them; they may be forgotten meanwhile. */
  get all(): RtspSession[] {
    return [...this.#held.values()].map(({ session }) => session);
  }

  /** The connection of a session that is known. */
  connectionOf(session: RtspSession): RtspConnection | null {
    return this.#held.get(session.id)?.connection ?? null;
  }

  add(session: RtspSession, connection: RtspConnection): void {
    this.#held.set(session.id, { session, connection });
    connection.sessions.add(session);
  }

  forget(session: RtspSession): void {
    this.#held.get(session.id)?.connection.sessions.delete(session);
    this.#held.delete(session.id);
  }

  /** The session with this id, if this client may have it: over TCP from its own connection, else from its own address. */
  find(connection: RtspConnection, id: string): RtspSession | null {
    const held = this.#held.get(id);
    if (!held) return null;
    if (held.connection === connection) return held.session;
    // RFC 2326 section 1.1: a session is no connection. Its id is the right to it; over TCP its packets are bound to one.
    if (held.session.delivery.over === "tcp" || held.connection.address !== connection.address) return null;
    held.connection.sessions.delete(held.session);
    this.add(held.session, connection);
    return held.session;
  }

  /**
   * 453 when one more session of this title has no place: on its connection, for its grant, its user or its network, or
   * at all. What was set up and has not played makes room among its like, that which has waited longest first.
   */
  requirePlace(connection: RtspConnection, { viewer }: Pick<OpenTitle, "viewer">): void {
    if (connection.sessions.size >= this.#limits.sessionsOfConnection)
      throw new RtspError(453, "too many sessions of a connection");
    const { sessionsOfGrant, sessionsOfUser, sessionsOfAddress, sessions } = this.#limits;
    const { grantId, userId } = viewer;
    this.#makeRoom(
      sessionsOfGrant,
      "of a grant",
      ({ title }) => grantId !== undefined && title.viewer.grantId === grantId,
    );
    this.#makeRoom(sessionsOfUser, "of a user", ({ title }) => userId !== undefined && title.viewer.userId === userId);
    this.#makeRoom(sessionsOfAddress, "of an address", (_, { network }) => network === connection.network);
    this.#makeRoom(sessions, "of all", () => true);
  }

  #makeRoom(limit: number, whose: string, isOne: (session: RtspSession, connection: RtspConnection) => boolean): void {
    const like = [...this.#held.values()].filter(({ session, connection }) => isOne(session, connection));
    if (like.length < limit) return;
    const now = performance.now();
    const waiting = like.find(({ session }) => session.unplayedMs(now) !== null);
    if (!waiting) throw new RtspError(453, `too many sessions ${whose}`);
    waiting.session.end("others wait");
    this.forget(waiting.session);
  }
}
