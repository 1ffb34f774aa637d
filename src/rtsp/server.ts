import type { Logger } from "pino";
import { StartError } from "../errors.ts";
import { networkOf } from "../network.ts";
import type { RtpEngine } from "../rtp/rtp-engine.ts";
import { addressOf, RtspConnection } from "./connection.ts";
import { ConnectionTable } from "./connection-table.ts";
import { RtspError } from "./errors.ts";
import { defaultLimits, type RtspLimits } from "./limits.ts";
import { encodeResponse } from "./message.ts";
import type { ServerContext } from "./server-context.ts";
import { RtspSession } from "./session.ts";
import { SessionTable } from "./session-table.ts";
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

type Socket = Bun.Socket<RtspConnection | null>;

/** An RTSP 1.0 server (RFC 2326) that plays titles. */
export class RtspServer {
  readonly #listener: Bun.TCPSocketListener<RtspConnection | null>;
  readonly #udp: UdpPorts;
  readonly #limits: RtspLimits;
  readonly #log: Logger;
  readonly #host: string;
  readonly #connections: ConnectionTable;
  readonly #sessions: SessionTable;
  #timer: ReturnType<typeof setInterval> | null = null;
  #context: ServerContext | null = null;
  readonly #bytesSent = { tcp: 0, udp: 0 };
  #closed = false;

  private constructor({ host, port, limits, log }: RtspServerOptions, udp: UdpPorts) {
    this.#limits = { ...defaultLimits, ...limits };
    this.#log = log;
    this.#host = host;
    this.#udp = udp;
    this.#connections = new ConnectionTable(this.#limits, log);
    this.#sessions = new SessionTable(this.#limits);
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
    for (const { delivery } of this.#sessions.all) counts[delivery.over]++;
    return counts;
  }

  /** Bytes that went out by how they travel; over TCP answers are included. */
  get bytesSent(): Readonly<Record<"tcp" | "udp", number>> {
    return this.#bytesSent;
  }

  serve({ titles, engine }: RtspServed): void {
    const { rtp, rtcp } = this.#udp.ports;
    for (const port of [rtp, rtcp]) engine.ownPorts.add(port);
    this.#context = {
      ...{ name: "Kinora", limits: this.#limits, titles, engine, udp: this.#udp, log: this.#log },
      countSent: (over, bytes) => {
        this.#bytesSent[over] += bytes;
      },
      openSession: (connection, wanted) => this.#openSession(connection, { ...wanted, engine }),
      findSession: (connection, id) => this.#sessions.find(connection, id),
      endSession: (session, reason) => {
        session.end(reason);
        this.#sessions.forget(session);
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
    for (const session of this.#sessions.all) {
      session.end("shutdown");
      this.#sessions.forget(session);
    }
    for (const connection of [...this.#connections]) connection.close("shutdown");
    await Bun.sleep(this.#connections.size > 0 ? FAREWELL_MS : 0);
    this.#listener.stop(true);
    this.#udp.close();
  }

  #accept(socket: Socket): void {
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    const context = this.#context;
    if (!context || this.#closed || !this.#connections.makeRoom(networkOf(addressOf(socket)))) {
      refuse(socket);
      return;
    }
    const connection = new RtspConnection(socket, context);
    this.#connections.add(connection);
    socket.data = connection;
  }

  #openSession(
    connection: RtspConnection,
    wanted: Omit<ConstructorParameters<typeof RtspSession>[0], "onOver">,
  ): RtspSession {
    this.#sessions.requirePlace(connection, wanted.title);
    const session = new RtspSession({
      ...wanted,
      onOver: (over, reason) => {
        const on = this.#sessions.connectionOf(over);
        this.#sessions.forget(over);
        // There is nothing else to tell it with.
        on?.close(reason);
      },
    });
    if (session.isOver) throw new RtspError(454, "the right to play has ended");
    this.#sessions.add(session, connection);
    return session;
  }

  #connectionOver(connection: RtspConnection): void {
    this.#connections.delete(connection);
    const now = performance.now();
    for (const session of [...connection.sessions]) {
      // Over UDP what plays outlives its connection; what has never played has nobody.
      if (session.unplayedMs(now) !== null) session.end("the connection closed before it played");
      if (session.isOver) this.#sessions.forget(session);
    }
  }

  #check(): void {
    const now = performance.now();
    for (const session of this.#sessions.all) {
      if ((session.unplayedMs(now) ?? 0) > this.#limits.firstPlayMs) session.close("it was never played");
      else if (session.silentMs(now) > this.#limits.sessionTimeoutMs) session.close("the session timed out");
    }
    for (const connection of [...this.#connections]) connection.check(now);
    this.#connections.tell(now);
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
