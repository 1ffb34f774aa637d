import { createHash } from "node:crypto";
import { GRANT_PARAMETER } from "../auth/contract.ts";
import { type ServiceName, serviceNames } from "../bus/contract.ts";
import { ownerOf } from "../bus/route-table.ts";
import { contracts } from "../contracts.ts";
import { TemporaryUnavailableError } from "../errors.ts";
import type { HttpContext } from "../http/env.ts";
import { CLIENT_HEADER, encodeClient, FORWARDED_HEADER, provenPart, WRONG_INSTANCE_HEADER } from "../http/forwarded.ts";
import type { ApiDocument } from "../http/openapi.ts";
import { forwardKeyFor, makeProof } from "../identity/forward-proof.ts";
import type { ServiceInstance } from "./contract.ts";
import type { Places } from "./places.ts";
import type { ServiceRegistry } from "./registry.ts";

/** Requests that change nothing: they may be asked of another instance when one does not answer. */
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/** Headers that are about one connection (RFC 9110 section 7.6.1). */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];
/** What a client says of itself there is replaced by what is known of it. */
const REPLACED = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/** Paths whose next part is the id of something that one instance may have, or may have at hand. */
const WITH_ID = /^\/(?:stream|api\/uploads|api\/imports|api\/streams)\/([^/]+)/;

/** A paused player and an event stream are silent for a while. */
const IDLE_SECONDS = 240;
/** Answers up to this size wait until they are here, and go on with their length. */
const SMALL_BYTES = 128 * 1024;
/** How long an instance may take to describe itself. */
const DESCRIBE_MS = 3_000;
/** Until an answer is whole, its instance must stay alive; looked at this often. */
const LOOK_MS = 100;

export interface ForwarderOptions {
  readonly registry: ServiceRegistry;
  readonly places: Places;
  /** This instance of main, and the secret that its proofs derive from. */
  readonly instance: string;
  readonly secret: string;
}

/** Sends requests for other services on to a live instance, and its answers back, as they come. */
export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #watch: InstanceWatch;
  readonly #keys: ReadonlyMap<ServiceName, string>;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#keys = new Map(serviceNames.map((name) => [name, forwardKeyFor(options.secret, name)]));
    this.#watch = new InstanceWatch((instance) => options.registry.isAlive(instance));
  }

  /** Cuts nothing; answers that are under way are looked after no more. */
  close(): void {
    this.#watch.close();
  }

  /**
   * The answer of the service that owns the address; null when that is this process. Throws `temporary-unavailable`
   * when no instance can be reached.
   */
  async forward(c: HttpContext): Promise<Response | null> {
    const { method, path } = c.req;
    const owner = ownerOf(contracts, method, path);
    if (owner === null || owner === "main") return null;
    await this.#options.registry.settled(owner);
    const candidates = await this.#candidates(owner, path);
    const direct = await this.#directly(c, candidates[0]);
    if (direct) return direct;
    let refusal: Response | null = null;
    for (const candidate of candidates) {
      if (candidate.instance === this.#options.instance) return null;
      const answer = await this.#ask(candidate, c);
      if (answer && (answer.status !== 503 || !SAFE.has(method))) {
        await refusal?.body?.cancel();
        return answer;
      }
      await refusal?.body?.cancel();
      refusal = answer ?? refusal;
    }
    if (refusal) return refusal;
    throw new TemporaryUnavailableError(`No instance of ${owner} can be reached.`);
  }

  /** What instances in other processes say of their part of the HTTP interface, one of each service; who is away is left out. */
  async documents(): Promise<ApiDocument[]> {
    const { registry, instance: self } = this.#options;
    const targets = serviceNames
      .map((name) => registry.list().filter(({ service }) => service === name))
      .filter((live) => !live.some(({ instance }) => instance === self))
      .flatMap(([first]) => first ?? []);
    const asked = targets.map(async (target) => {
      for (const address of target.addresses) {
        const url = new URL(`${address}/api/openapi.json`);
        const headers = { [FORWARDED_HEADER]: this.#proofFor(target, "GET", url, null) };
        const signal = AbortSignal.timeout(DESCRIBE_MS);
        const answer = await fetch(url, { headers, redirect: "error", signal }).catch(() => null);
        if (answer?.ok) return (await answer.json()) as ApiDocument;
      }
      return null;
    });
    return (await Promise.all(asked.map((one) => one.catch(() => null)))).filter((document) => document !== null);
  }

  #proofFor({ service, instance }: ServiceInstance, method: string, url: URL, client: string | null): string {
    const claim = { main: this.#options.instance, service, instance, atMs: Date.now() };
    return makeProof(this.#keys.get(service) ?? "", claim, provenPart(method, url, client));
  }

  /** Who may answer, the best first: who has the bytes, then always the same for the same id, else in turn. */
  async #candidates(owner: ServiceInstance["service"], path: string): Promise<ServiceInstance[]> {
    const { registry, places } = this.#options;
    const id = WITH_ID.exec(path)?.[1];
    if (id === undefined) return registry.inTurn(owner);
    const ranked = registry.inTurn(owner).sort((a, b) => (rank(a, id) < rank(b, id) ? -1 : 1));
    if (ranked.length < 2) return ranked;
    if (owner === "upload") {
      const distance = await places.ofUpload(id);
      return ranked.sort((a, b) => distance(a) - distance(b));
    }
    if (!path.startsWith("/stream/")) return ranked;
    const providers = await places.of(id);
    const has = ({ instance }: ServiceInstance) => providers.includes(instance);
    return [...ranked.filter(has), ...ranked.filter((instance) => !has(instance))];
  }

  /**
   * 307 to the instance that has the bytes, where its operator wants that; else null. Only for a request that brings a grant in its
   * URL: a cookie counts at this origin alone. Our own pages stay here: their policy lets them fetch from nowhere else.
   */
  async #directly(c: HttpContext, target: ServiceInstance | undefined): Promise<Response | null> {
    const { method, path } = c.req;
    const isFor = path.startsWith("/stream/") && SAFE.has(method) && c.req.query(GRANT_PARAMETER) !== undefined;
    if (!isFor || target?.direct === undefined || isFromOwnPage(c)) return null;
    const providers = await this.#options.places.of(WITH_ID.exec(path)?.[1] ?? "");
    if (!providers.includes(target.instance)) return null;
    const { pathname, search } = new URL(c.req.raw.url);
    const headers = {
      Location: `${target.direct}${pathname}${search}`,
      // The next one may have to go elsewhere.
      "Cache-Control": "no-store",
      "Access-Control-Allow-Origin": "*",
      "Cross-Origin-Resource-Policy": "cross-origin",
      "Referrer-Policy": "no-referrer",
    };
    return new Response(null, { status: 307, headers });
  }

  /** An instance's answer; null when it could not be reached and the request may go to another. */
  async #ask(target: ServiceInstance, c: HttpContext): Promise<Response | null> {
    const { method } = c.req;
    for (const address of target.addresses) {
      try {
        const answer = await this.#send(target, address, c);
        if (!answer.headers.has(WRONG_INSTANCE_HEADER)) return answer;
        await answer.body?.cancel();
      } catch (error) {
        c.req.raw.signal.throwIfAborted();
        const notSent = error instanceof Error && "code" in error && NOT_SENT.has(String(error.code));
        const { service, instance } = target;
        c.get("log").warn({ service, instance, address, reason: reasonOf(error) }, "not reached");
        if (!notSent && !SAFE.has(method))
          throw new TemporaryUnavailableError(`The instance of ${target.service} went away.`, { cause: error });
      }
    }
    this.#options.registry.lost(target);
    return null;
  }

  async #send(target: ServiceInstance, address: string, c: HttpContext): Promise<Response> {
    const { raw, method } = c.req;
    const gone = new AbortController();
    const { pathname, search } = new URL(raw.url);
    const url = new URL(`${address}${pathname}${search}`);
    c.env.setIdleTimeout(IDLE_SECONDS);
    const unwatch = this.#watch.add(target, gone);
    try {
      const answer = await fetch(url, {
        method,
        headers: this.#headersFor(target, url, c),
        body: raw.body,
        redirect: "manual",
        // Bodies pass as they are, and however long they take.
        decompress: false,
        timeout: false,
        // A kept connection may have died unnoticed, and what changes something is not sent twice.
        keepalive: SAFE.has(method),
        signal: AbortSignal.any([raw.signal, gone.signal]),
      } as RequestInit & { decompress: boolean; timeout: false });
      const body = isSmall(answer) && method !== "HEAD" ? await answer.arrayBuffer() : answer.body;
      const response = new Response(body, { status: answer.status, headers: withoutHops(answer.headers) });
      this.#watch.until(response, unwatch);
      return response;
    } catch (error) {
      unwatch();
      throw error;
    }
  }

  #headersFor(target: ServiceInstance, url: URL, c: HttpContext): Headers {
    const headers = withoutHops(c.req.raw.headers);
    for (const name of REPLACED) headers.delete(name);
    // Asked for nothing, the client gets nothing it may not understand.
    if (!headers.has("Accept-Encoding")) headers.set("Accept-Encoding", "identity");
    headers.set("X-Forwarded-For", c.env.clientAddress);
    headers.set("X-Forwarded-Proto", c.env.secure ? "https" : "http");
    const host = headers.get("Host");
    if (host !== null) headers.set("X-Forwarded-Host", host);
    const client = encodeClient(c.env);
    headers.set(FORWARDED_HEADER, this.#proofFor(target, c.req.method, url, client));
    headers.set(CLIENT_HEADER, client);
    return headers;
  }
}

/** Whether a page of ours asks, as far as browsers tell: over plain HTTP only the referrer does. */
const isFromOwnPage = ({ req, env }: HttpContext) =>
  req.header("Sec-Fetch-Site") === "same-origin" || URL.parse(req.header("Referer") ?? "")?.origin === env.origin;

/** What is in memory as a whole is sent with its length; Bun names none beside a body that is a stream. */
const isSmall = ({ body, headers }: Response) =>
  body !== null && Number(headers.get("Content-Length") ?? Number.NaN) <= SMALL_BYTES;

/** Ends what waits for an instance that is not alive any more: one that hangs closes no connection. */
class InstanceWatch {
  readonly #isAlive: (instance: ServiceInstance) => boolean;
  readonly #watched = new Map<string, { readonly instance: ServiceInstance; readonly waiting: Set<AbortController> }>();
  /** Nobody tells when a body has been sent; its answer is garbage then. */
  readonly #finished = new FinalizationRegistry<() => void>((unwatch) => unwatch());
  #timer: Timer | null = null;

  constructor(isAlive: (instance: ServiceInstance) => boolean) {
    this.#isAlive = isAlive;
  }

  add(instance: ServiceInstance, gone: AbortController): () => void {
    const key = `${instance.service}/${instance.instance}`;
    const watched = this.#watched.get(key) ?? { instance, waiting: new Set() };
    watched.waiting.add(gone);
    this.#watched.set(key, watched);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
    return () => {
      watched.waiting.delete(gone);
      if (watched.waiting.size === 0 && this.#watched.get(key) === watched) this.#watched.delete(key);
      if (this.#watched.size === 0) this.close();
    };
  }

  /** Watches until the answer has been sent. */
  until(answer: Response, unwatch: () => void): void {
    this.#finished.register(answer, unwatch);
  }

  close(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    for (const [key, { instance, waiting }] of this.#watched) {
      if (this.#isAlive(instance)) continue;
      this.#watched.delete(key);
      for (const gone of waiting) gone.abort(new Error("its heartbeats have stopped"));
    }
  }
}

const reasonOf = (error: unknown) =>
  error instanceof Error ? ("code" in error ? String(error.code) : error.message) : String(error);

/** The connection was not there: the instance has seen nothing of the request. */
const NOT_SENT = new Set(["ECONNREFUSED", "ConnectionRefused", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND"]);

function withoutHops(from: Headers): Headers {
  const headers = new Headers(from);
  const named = (from.get("Connection") ?? "").split(",").map((name) => name.trim().toLowerCase());
  for (const name of [...HOP_BY_HOP, ...named]) if (/^[\w-]+$/.test(name)) headers.delete(name);
  return headers;
}

/** Rendezvous hashing: an id keeps its instance while that lives, whoever else comes and goes. */
const rank = ({ instance }: ServiceInstance, id: string) =>
  createHash("sha1").update(`${id} ${instance}`).digest("base64");
