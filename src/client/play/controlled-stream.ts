import { z } from "zod";
import { type StreamHandle, type StreamProtocol, streamHandle } from "../../streaming/contract.ts";
import type { Api } from "../api.ts";
import { ClientError, EXIT } from "../errors.ts";
import { notKinora } from "../problem.ts";
import { serverSentEvents } from "./sse.ts";

/** Renewed when so much of its time is over. */
const RENEW_AFTER = 0.5;
const RETRY_MS = 1_000;
/** How long the server waits for renewal after the expiry. */
const GRACE_MS = 10_000;
/** How long the last word to the server may take. */
const STOP_MS = 3_000;

const stopped = z.looseObject({ reason: z.string() });

export interface StreamRequest {
  readonly titleId: string;
  readonly protocol: StreamProtocol;
  readonly clientPort?: number;
}

/** A stream controller of the server, kept alive from here. */
export class ControlledStream {
  readonly id: string;
  readonly protocol: StreamProtocol;
  readonly sdp: string | null;
  readonly #url: string;
  readonly #api: Api;
  #expiresAtMs: number;
  #isOver = false;

  private constructor(api: Api, answer: StreamHandle) {
    this.#api = api;
    this.id = answer.id;
    this.protocol = answer.protocol;
    this.sdp = answer.sdp;
    this.#url = answer.url;
    this.#expiresAtMs = Date.parse(answer.expiresAt);
  }

  static async start(api: Api, request: StreamRequest): Promise<ControlledStream> {
    return new ControlledStream(api, await api.call("POST", "/api/streams", streamHandle, { body: request }));
  }

  /** What the player opens. It holds a grant. Only addresses that are plainly one are passed on to a program. */
  get url(): string {
    const url = URL.parse(this.#url, this.#api.origin);
    if (!url || !["http:", "https:", "rtsp:", "rtsps:"].includes(url.protocol))
      throw notKinora("The stream has no address.");
    return url.href;
  }

  /** The machine that the player is led to, when it is not the one that the server was asked at. */
  get otherHost(): string | null {
    const { hostname } = new URL(this.url);
    return hostname === new URL(this.#api.origin).hostname ? null : hostname;
  }

  /** Renews it in time until `signal`. Returns why the server ended it; null when it was the signal. */
  async keep(signal: AbortSignal): Promise<string | null> {
    const ending = new AbortController();
    const both = AbortSignal.any([signal, ending.signal]);
    try {
      return await Promise.race([this.#renew(both), this.#follow(both)]);
    } finally {
      ending.abort();
    }
  }

  /** Has the server stop it. Not being able to is no failure: it stops by itself when it is not renewed. */
  async stop(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    await this.#api
      .tell("DELETE", `/api/streams/${this.id}`, { signal: AbortSignal.timeout(STOP_MS) })
      .catch(() => undefined);
  }

  async #renew(signal: AbortSignal): Promise<string | null> {
    while (!signal.aborted) {
      const leftMs = this.#expiresAtMs - this.#api.nowMs();
      await wait(Math.max(RETRY_MS, leftMs * RENEW_AFTER), signal);
      if (signal.aborted) break;
      const ended = await this.#refresh(signal);
      if (ended !== null) return ended;
    }
    return null;
  }

  async #refresh(signal: AbortSignal): Promise<string | null> {
    try {
      // It goes on until this request's token expires: a new one takes it the farthest.
      this.#api.forgetToken();
      const { expiresAt } = await this.#api.call("POST", `/api/streams/${this.id}/refresh`, streamHandle);
      this.#expiresAtMs = Date.parse(expiresAt);
      return null;
    } catch (error) {
      if (signal.aborted) return null;
      if (!(error instanceof ClientError)) throw error;
      if (error.exit === EXIT.notFound) return this.#over("gone");
      if (error.exit === EXIT.notSignedIn || error.exit === EXIT.forbidden) return this.#over("revoked");
      // It may pass: the server restarts, the network is away.
      return this.#api.nowMs() > this.#expiresAtMs + GRACE_MS ? this.#over("expired") : null;
    }
  }

  /** Listens to its events, again and again: they end with the token they were asked for with. */
  async #follow(signal: AbortSignal): Promise<string | null> {
    while (!signal.aborted) {
      try {
        const response = await this.#api.send("GET", `/api/streams/${this.id}/events`, { signal });
        for await (const { event, data } of serverSentEvents(response.body ?? new ReadableStream())) {
          if (event === "authentication-requested") await this.#refresh(signal);
          if (event === "stopped") return this.#over(reasonOf(data));
        }
      } catch (error) {
        if (error instanceof ClientError && error.exit === EXIT.notFound) return this.#over("gone");
      }
      await wait(RETRY_MS, signal);
    }
    return null;
  }

  #over(reason: string): string {
    this.#isOver = true;
    return reason;
  }
}

function reasonOf(data: string): string {
  try {
    return stopped.parse(JSON.parse(data)).reason;
  } catch {
    return "stopped";
  }
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const end = () => resolve();
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  });
}
