import type { Logger } from "pino";
import { StartError } from "../errors.ts";
import type { RtpEngine } from "../rtp/rtp-engine.ts";
import { RtspConnection } from "./connection.ts";
import { RtspError } from "./errors.ts";
import { defaultLimits, type RtspLimits } from "./limits.ts";
import { encodeResponse } from "./message.ts";
import type { ServerContext } from "./server-context.ts";
import { RtspSession } from "./session.ts";
import type { RtspTitles } from "./titles.ts";
import type { Pair } from "./transport-header.ts";
import { UdpPorts } from "./udp-ports.ts";

/** Silence and stalls are looked for this often, in milliseconds. */
const CHECK_EVERY_MS = 500;
/** How long farewells may take when the server closes. */
const FAREWELL_MS = 200;

export interface RtspServerOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** An even UDP port for RTP, the next one is for RTCP; 0 takes any two. */
  readonly udpPort: number;
  readonly limits?: Partial<RtspLimits>;
  readonly log: Logger;
}

/** What is served once the port has been taken. */
export interface RtspServed {
  readonly titles: RtspTitles;
  readonly engine: RtpEngine;
}

interface Held {
  readonly session: RtspSession;
  /** Where it was set up. Over UDP it may outlive it. */
  readonly connection: RtspConnection;
}

type Socket = Bun.Socket<RtspConnection | null>;

/** An RTSP 1.0 server (RFC 2326) that plays titles. */
export class RtspServer {
  readonly #listener: Bun.TCPSocketListener<RtspConnection | null>;
  readonly #udp: UdpPorts;
  readonly #limits: RtspLimits;
  readonly #log: Logger;
  readonly #host: string;
  readonly #connections = new Set<RtspConnection>();
  readonly #sessions = new Map<string, Held>();
  #timer: ReturnType<typeof setInterval> | null = null;
  #context: ServerContext | null = null;
  readonly #bytesSent = { tcp: 0, udp: 0 };
  #closed = false;

  private constructor({ host, port, limits, log }: RtspServerOptions, udp: UdpPorts) {
    this.#limits = { ...defaultLimits, ...limits };
    this.#log = log;
    this.#host = host;
    this.#udp = udp;
    this.#listener = Bun.listen<RtspConnection | null>({
      hostname: host,
      port,
      // Another program that listens there is told of at the start.
      exclusive: true,
      data: null,
      socket: {
        open: (socket) => this.#accept(socket),
        data: (socket, bytes) => socket.data?.receive(bytes),
        drain: (socket) => socket.data?.writer.flush(),
        close: (socket) => socket.data?.gone(),
        error: (socket, error) => {
          log.debug({ err: error }, "an RTSP connection broke");
          socket.data?.close("the connection broke");
        },
      },
    });
  }

  /** Takes the ports; nobody is served before `serve`. `StartError` when they cannot be had. */
  static async listen(options: RtspServerOptions): Promise<RtspServer> {
    const udp = await UdpPorts.open(options.host, options.udpPort);
    try {
      return new RtspServer(options, udp);
    } catch (cause) {
      udp.close();
      throw listenError(options, cause);
    }
  }

  /** Where it listens, as it was told. */
  get host(): string {
    return this.#host;
  }

  get port(): number {
    return this.#listener.port;
  }

  /** The UDP ports that packets come from. */
  get udpPorts(): Pair {
    return this.#udp.ports;
  }

  /** Connections by whether a request of theirs was let in to a title. */
  get connectionCounts(): Readonly<Record<"authorised" | "other", number>> {
    const counts = { authorised: 0, other: 0 };
    for (const { isAuthorised } of this.#connections) counts[isAuthorised ? "authorised" : "other"]++;
    return counts;
  }

  /** Sessions by how their packets travel. */
  get sessionCounts(): Readonly<Record<"tcp" | "udp", number>> {
    const counts = { tcp: 0, udp: 0 };
    for (const { session } of this.#sessions.values()) counts[session.delivery.over]++;
    return counts;
  }

  /** Bytes that went out by how they travel; over TCP answers are included. */
  get bytesSent(): Readonly<Record<"tcp" | "udp", number>> {
    return this.#bytesSent;
  }

  serve({ titles, engine }: RtspServed): void {
    this.#context = {
      ...{ name: "Kinora", limits: this.#limits, titles, engine, udp: this.#udp, log: this.#log },
      countSent: (over, bytes) => {
        this.#bytesSent[over] += bytes;
      },
      openSession: (connection, wanted) => this.#openSession(connection, { ...wanted, engine }),
      findSession: (connection, id) => this.#findSession(connection, id),
      endSession: (session, reason) => {
        session.end(reason);
        this.#forget(session);
      },
      connectionOver: (connection) => this.#connectionOver(connection),
    };
    this.#timer = setInterval(() => this.#check(), CHECK_EVERY_MS);
  }

  /** Says goodbye to everybody and closes. Calling it again does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#timer) clearInterval(this.#timer);
    this.#listener.stop();
    for (const { session } of this.#sessions.values()) session.end("shutdown");
    this.#sessions.clear();
    for (const connection of this.#connections) connection.close("shutdown");
    await Bun.sleep(this.#connections.size > 0 ? FAREWELL_MS : 0);
    this.#listener.stop(true);
    this.#udp.close();
  }

  #accept(socket: Socket): void {
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    const context = this.#context;
    const connection = context && !this.#closed ? this.#admit(new RtspConnection(socket, context)) : null;
    socket.data = connection;
    if (!connection) refuse(socket);
  }

  #admit(connection: RtspConnection): RtspConnection | null {
    const ofAddress = this.#count(connection.address, this.#connections);
    if (ofAddress < this.#limits.connectionsOfAddress && this.#makeRoom()) {
      this.#connections.add(connection);
      return connection;
    }
    this.#log.warn({ connections: this.#connections.size, ofAddress }, "RTSP connection refused: too many");
    return null;
  }

  /** Whether one more connection has a place; whoever has waited longest without a right to anything makes it. */
  #makeRoom(): boolean {
    if (this.#connections.size < this.#limits.connections) return true;
    for (const connection of this.#connections) {
      if (connection.isAuthorised) continue;
      connection.close("others wait");
      return true;
    }
    return false;
  }

  #count(address: string, connections: Iterable<RtspConnection>): number {
    let count = 0;
    for (const connection of connections) if (connection.address === address) count++;
    return count;
  }

  #openSession(
    connection: RtspConnection,
    wanted: Omit<ConstructorParameters<typeof RtspSession>[0], "onOver">,
  ): RtspSession {
    this.#requirePlace(connection);
    const session = new RtspSession({
      ...wanted,
      onOver: (over, reason) => {
        const held = this.#sessions.get(over.id);
        this.#forget(over);
        // There is nothing else to tell it with.
        held?.connection.close(reason);
      },
    });
    if (session.isOver) throw new RtspError(454, "the right to play has ended");
    this.#sessions.set(session.id, { session, connection });
    connection.sessions.add(session);
    return session;
  }

  /**
   * 453 when one more session has no place: on its connection, from its address, or at all. What was set up and has not
   * played makes room, that which has waited longest first.
   */
  #requirePlace(connection: RtspConnection): void {
    const { sessions, sessionsOfAddress, sessionsOfConnection } = this.#limits;
    const all = [...this.#sessions.values()];
    const ofAddress = all.filter((held) => held.connection.address === connection.address);
    if (connection.sessions.size >= sessionsOfConnection) throw new RtspError(453, "too many sessions of a connection");
    const full = ofAddress.length >= sessionsOfAddress ? ofAddress : all.length >= sessions ? all : null;
    if (full === null) return;
    const now = performance.now();
    const waiting = full.find(({ session }) => session.unplayedMs(now) !== null);
    if (!waiting) throw new RtspError(453, "too many sessions");
    waiting.session.end("others wait");
    this.#forget(waiting.session);
  }

  #findSession(connection: RtspConnection, id: string): RtspSession | null {
    const held = this.#sessions.get(id);
    if (!held) return null;
    if (held.connection === connection) return held.session;
    // RFC 2326 section 1.1: a session is no connection. Its id is the right to it; over TCP its packets are bound to one.
    if (held.session.delivery.over === "tcp" || held.connection.address !== connection.address) return null;
    held.connection.sessions.delete(held.session);
    connection.sessions.add(held.session);
    this.#sessions.set(id, { session: held.session, connection });
    return held.session;
  }

  #forget(session: RtspSession): void {
    this.#sessions.get(session.id)?.connection.sessions.delete(session);
    this.#sessions.delete(session.id);
  }

  #connectionOver(connection: RtspConnection): void {
    this.#connections.delete(connection);
    const now = performance.now();
    for (const session of [...connection.sessions]) {
      // Over UDP what plays outlives its connection; what has never played has nobody.
      if (session.unplayedMs(now) !== null) session.end("the connection closed before it played");
      if (session.isOver) this.#forget(session);
    }
  }

  #check(): void {
    const now = performance.now();
    for (const { session } of [...this.#sessions.values()]) {
      if ((session.unplayedMs(now) ?? 0) > this.#limits.firstPlayMs) session.close("it was never played");
      else if (session.silentMs(now) > this.#limits.sessionTimeoutMs) session.close("the session timed out");
    }
    for (const connection of this.#connections) connection.check(now);
  }
}

function refuse(socket: Socket): void {
  socket.write(encodeResponse(null, { status: 503, headers: { "Retry-After": "5" } }));
  socket.end();
}

function listenError({ host, port }: RtspServerOptions, cause: unknown): StartError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const why = code === "EADDRINUSE" ? "another program listens there" : `the system refuses it (${code ?? cause})`;
  const hint = "Choose another address with `rtsp.listen` (KINORA_RTSP_LISTEN), or `off` to do without RTSP.";
  return new StartError(`RTSP cannot listen on ${address}: ${why}.`, hint, { cause });
}
