import type { Logger } from "pino";
import type { RtpEngine } from "../rtp/rtp-engine.ts";
import type { RtspConnection } from "./connection.ts";
import type { RtspLimits } from "./limits.ts";
import type { RtspSession, SessionDependencies } from "./session.ts";
import type { RtspTitles } from "./titles.ts";
import type { UdpPorts } from "./udp-ports.ts";

/** What connections need of their server. */
export interface ServerContext {
  /** For the `Server` header. */
  readonly name: string;
  readonly limits: RtspLimits;
  readonly titles: RtspTitles;
  readonly engine: RtpEngine;
  readonly udp: UdpPorts;
  readonly log: Logger;
  countSent(over: "tcp" | "udp", bytes: number): void;
  /** Makes a session; 453 when there are too many. */
  openSession(connection: RtspConnection, wanted: Omit<SessionDependencies, "engine" | "onOver">): RtspSession;
  /** The session with this id, if this client may have it: over TCP from its own connection, else from its own address. */
  findSession(connection: RtspConnection, id: string): RtspSession | null;
  endSession(session: RtspSession, reason: string): void;
  connectionOver(connection: RtspConnection): void;
}
