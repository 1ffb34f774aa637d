import type { Logger } from "pino";
import { ProblemError } from "../errors.ts";
import { networkOf } from "../network.ts";
import { CHALLENGE, parseAuthorization } from "./authorization-header.ts";
import { RtspError } from "./errors.ts";
import type { RtspLimits } from "./limits.ts";
import { type BadMessage, cseqOf, encodeResponse, type RtspRequest, type RtspResponse } from "./message.ts";
import { MessageParser } from "./message-parser.ts";
import { answerRequest } from "./methods.ts";
import type { RequestTarget } from "./request-url.ts";
import type { ServerContext } from "./server-context.ts";
import type { RtspSession } from "./session.ts";
import type { StatusCode } from "./status.ts";
import { TcpWriter } from "./tcp-writer.ts";
import type { OpenTitle } from "./titles.ts";

/** What a client may send ahead while an earlier request of its is answered. */
const MAX_AHEAD_BYTES = 256 * 1024;

/** The part of a TCP socket that is used. */
export interface ConnectionSocket {
  readonly remoteAddress: string;
  readonly localAddress: string;
  write(bytes: Uint8Array): number;
  pause(): void;
  resume(): void;
  end(): void;
  terminate(): void;
}

/** One client's connection: takes its requests in order, and carries the packets of sessions over TCP. */
export class RtspConnection {
  readonly id = Bun.randomUUIDv7();
  /** The client's address; an IPv4 one as such. */
  readonly address: string;
  /** The part of it that counts as one for limits. */
  readonly network: string;
  /** The address it came to. */
  readonly localAddress: string;
  readonly server: ServerContext;
  readonly writer: TcpWriter;
  /** Sessions that were set up here; those over TCP end with it. */
  readonly sessions = new Set<RtspSession>();
  readonly log: Logger;
  readonly #socket: ConnectionSocket;
  readonly #parser = new MessageParser();
  readonly #limits: RtspLimits;
  #inbox: Uint8Array[] = [];
  #inboxBytes = 0;
  #working = false;
  #closed = false;
  #requests = 0;
  /** The title that a request of this connection was let in to. */
  #title: OpenTitle | null = null;
  #endWatch: () => void = () => undefined;
  #wasAuthorised = false;
  readonly #leaveMemory: () => void;
  /** When a message began, or the last one was complete. */
  #heardAt = performance.now();

  constructor(socket: ConnectionSocket, server: ServerContext) {
    this.#socket = socket;
    this.server = server;
    this.#limits = server.limits;
    this.address = addressOf(socket);
    this.network = networkOf(this.address);
    this.localAddress = unmap(socket.localAddress);
    this.log = server.log.child({ connectionId: this.id });
    this.writer = new TcpWriter(socket, {
      overflow: () => queueMicrotask(() => this.close("answers are not read")),
      sent: (bytes) => server.countSent("tcp", bytes),
      queued: (bytes) => server.engine.memory.queued(bytes),
    });
    this.#leaveMemory = server.engine.memory.join({
      behindMs: (now) => this.writer.behindMs(now),
      giveUp: (reason) => this.close(reason),
    });
  }

  get isAuthorised(): boolean {
    return this.#wasAuthorised;
  }

  /** Takes what the network brought. */
  receive(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#inbox.push(bytes.slice());
    this.#inboxBytes += bytes.length;
    if (this.#working) {
      this.#socket.pause();
      if (this.#inboxBytes > MAX_AHEAD_BYTES + bytes.length) this.close("requests come faster than they are answered");
      return;
    }
    this.#work().catch((error: unknown) => {
      this.log.error({ err: error }, "an RTSP connection failed");
      this.close("failed");
    });
  }

  /** Closes it when the client has been silent for too long or takes nothing; called every now and then. */
  check(now: number): void {
    const silent = now - this.#heardAt;
    if (this.writer.stalledMs(now) > this.#limits.stalledMs) this.close("nothing is read");
    else if (this.#working) return;
    else if (this.#parser.isInside && silent > this.#limits.silenceMs) this.close("an unfinished request");
    else if (this.sessions.size === 0 && silent > this.#patienceMs()) this.close("silence");
  }

  #patienceMs(): number {
    return this.#wasAuthorised ? this.#limits.sessionTimeoutMs : this.#limits.silenceMs;
  }

  /** Ends the connection and its sessions over TCP; a short farewell is sent if it can be. */
  close(reason: string): void {
    if (this.#closed) return;
    for (const session of this.sessions) if (session.delivery.over === "tcp") session.end(reason);
    const isFlushed = this.writer.pendingBytes === 0;
    this.#forget(reason);
    if (isFlushed) this.#socket.end();
    else this.#socket.terminate();
  }

  /** The network says that it is gone. */
  gone(): void {
    if (this.#closed) return;
    this.#forget("the client closed the connection");
  }

  /** The title that this request may have: the one that was opened here before, or by what the request brings. */
  async authorise(target: RequestTarget, request: RtspRequest): Promise<OpenTitle> {
    if (target.titleId === null) throw new RtspError(404, "there is nothing at this address");
    const credential = target.grant
      ? ({ kind: "grant", text: target.grant } as const)
      : parseAuthorization(request.headers.get("Authorization"));
    if (this.#title?.titleId === target.titleId && (credential === null || request.method !== "DESCRIBE")) {
      return this.#title;
    }
    const title = await this.server.titles.open(target.titleId, credential);
    if ("movedTo" in title) {
      // A credential that came in a header goes to no other server by us.
      const query = target.grant ? `?grant=${encodeURIComponent(target.grant)}` : "";
      const headers = { Location: `rtsp://${title.movedTo}/${target.titleId}${query}` };
      throw new RtspError(302, "another instance has this title", { headers });
    }
    if (this.#closed) throw new RtspError(503, "the connection is closed");
    this.#endWatch();
    this.#title = title;
    this.#wasAuthorised = true;
    this.#endWatch = title.onCut((reason) => {
      this.#title = null;
      this.close(reason);
    });
    return title;
  }

  async #work(): Promise<void> {
    this.#working = true;
    try {
      for (let chunk = this.#inbox.shift(); chunk && !this.#closed; chunk = this.#inbox.shift()) {
        const wasInside = this.#parser.isInside;
        for (const message of this.#parser.push(chunk)) {
          if (this.#closed) return;
          this.#heardAt = performance.now();
          if (message.kind === "interleaved") this.#rtcp(message.channel, message.data);
          else if (message.kind === "bad") this.#refuse(message);
          else await this.#answer(message);
        }
        // A message counts from its first byte: one that comes byte by byte does not stay open for that.
        if (!wasInside && this.#parser.isInside) this.#heardAt = performance.now();
        this.#inboxBytes -= chunk.length;
      }
    } finally {
      this.#working = false;
    }
    if (!this.#closed) this.#socket.resume();
  }

  /** RTCP of a client; what comes on other channels is overlooked. */
  #rtcp(channel: number, packet: Uint8Array): void {
    for (const session of this.sessions) {
      if (session.delivery.over !== "tcp") continue;
      if (session.tracks.some(({ channels }) => channels.rtcp === channel)) session.handleRtcp(packet);
    }
  }

  #refuse({ status, reason, cseq }: BadMessage): void {
    this.log.info({ status, reason }, "RTSP message refused");
    this.writer.answer(encodeResponse(cseq, { status, headers: this.#common() }));
    this.close(reason);
  }

  async #answer(request: RtspRequest): Promise<void> {
    const requestId = Bun.randomUUIDv7();
    const log = this.log.child({ requestId });
    const began = performance.now();
    const cseq = cseqOf(request.headers);
    // Packets of what this request starts come after its answer, which tells of them.
    this.writer.hold();
    let response: RtspResponse;
    let reason: string | undefined;
    let fatal = false;
    try {
      response = await this.#answerTo(request, cseq);
    } catch (error) {
      ({ response, reason, fatal } = refusalOf(error));
      if (response.status === 500) log.error({ err: error }, "RTSP request failed");
    }
    const headers = { ...this.#common(), "X-Request-Id": requestId, ...response.headers };
    this.writer.answer(encodeResponse(cseq, { ...response, headers }));
    this.writer.release();
    const ms = Math.round((performance.now() - began) * 1e3) / 1e3;
    const level = request.method === "GET_PARAMETER" || request.method === "OPTIONS" ? "debug" : "info";
    log[level]({ method: request.method, status: response.status, ms, ...(reason ? { reason } : {}) }, "RTSP answered");
    if (fatal) this.close(reason ?? "refused");
  }

  #answerTo(request: RtspRequest, cseq: number | null): Promise<RtspResponse> {
    if (!this.#wasAuthorised && ++this.#requests > this.#limits.requestsBeforeAuthorisation) {
      throw new RtspError(403, "too many requests without a right to anything", { fatal: true });
    }
    if (cseq === null) throw new RtspError(400, "a request without a proper CSeq");
    return answerRequest(this, request);
  }

  #common(): Record<string, string> {
    return { Server: this.server.name, Date: new Date().toUTCString() };
  }

  #forget(reason: string): void {
    this.#closed = true;
    this.#endWatch();
    this.#leaveMemory();
    this.#inbox = [];
    for (const session of this.sessions) if (session.delivery.over === "tcp") session.end(reason);
    this.writer.close();
    this.server.connectionOver(this);
    this.log.debug({ reason }, "RTSP connection closed");
  }
}

/** `::ffff:192.0.2.1` (RFC 4291 section 2.5.5.2) is the IPv4 address in it. */
const unmap = (address: string) => address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "");

/** The client's address; an IPv4 one as such. */
export const addressOf = ({ remoteAddress }: Pick<ConnectionSocket, "remoteAddress">) => unmap(remoteAddress);

const statusOfProblem: Readonly<Record<number, StatusCode>> = {
  400: 400,
  401: 401,
  403: 403,
  404: 404,
  422: 415,
  503: 503,
};

/** What is answered when a request failed. */
function refusalOf(error: unknown): { response: RtspResponse; reason: string; fatal: boolean } {
  if (error instanceof RtspError) {
    const { status, headers, message, fatal } = error;
    return { response: { status, headers }, reason: message, fatal };
  }
  const status = error instanceof ProblemError ? (statusOfProblem[error.status] ?? 500) : 500;
  const headers: Record<string, string> = {};
  if (status === 401) headers["WWW-Authenticate"] = CHALLENGE;
  if (status === 503 && error instanceof ProblemError) headers["Retry-After"] = error.headers["Retry-After"] ?? "2";
  return {
    response: { status, headers },
    reason: error instanceof ProblemError ? error.code : "internal",
    fatal: false,
  };
}
