import { isIP } from "node:net";
import type { Logger } from "pino";
import { ForbiddenError, ProblemError, StartError, TemporaryUnavailableError } from "../errors.ts";
import type { Authenticator } from "../identity/authenticator.ts";
import type { MountedService } from "../service.ts";
import { reachableAt } from "./addresses.ts";
import { type HostRules, hostsOf } from "./allowed-hosts.ts";
import { assembleApp } from "./assemble-app.ts";
import { ClientAddresses } from "./client-address.ts";
import type { HttpBindings } from "./env.ts";
import {
  CLIENT_HEADER,
  FORWARDED_HEADER,
  type ForwardTrust,
  provenPart,
  readClient,
  WRONG_INSTANCE_HEADER,
} from "./forwarded.ts";
import type { Metrics } from "./metrics.ts";
import { notReady, type ReadinessCheck } from "./operations.ts";
import { problemResponse } from "./problem.ts";
import { readTls, type TlsFiles } from "./tls.ts";

/** Seconds a connection may be silent unless its route says otherwise. */
const IDLE_TIMEOUT_SECONDS = 60;

/** Forwarding headers (RFC 7239 and the older ones): whoever sets one is a proxy. */
const FORWARDING_HEADERS = ["Forwarded", "X-Forwarded-For", "X-Real-IP"];

export interface ListenerOptions extends HostRules {
  readonly host: string;
  readonly port: number;
  readonly trustedProxies: readonly string[];
  /** Paths of certificate and key (PEM) to answer HTTPS with; plain HTTP when absent or null. */
  readonly tls?: TlsFiles | null;
  /** Seconds a connection may be silent unless its route says otherwise; 60 by default. */
  readonly idleTimeoutSeconds?: number;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface MountOptions {
  /** Without it nobody is believed to be main. */
  readonly trust?: ForwardTrust | null;
  /** What `/readyz` asks beside the services. */
  readonly checks?: readonly ReadinessCheck[];
}

export interface Listener {
  /** Base URL it can be reached at from this machine, with the real port. */
  readonly url: string;
  /** Every base URL it can be reached at: this machine's first. */
  readonly addresses: readonly string[];
  /** Starts answering with the routes of these services. Requests that came before wait for it. */
  mount(services: readonly MountedService[], authenticator: Authenticator, options?: MountOptions): void;
  /** Goes on answering, but asks its clients to look for another: `/readyz` is 503, and connections are closed after their answer. */
  drain(): void;
  /** Stops accepting, waits for running answers up to `graceMs`, then cuts them. Calling it again does nothing. */
  close(graceMs: number): Promise<void>;
}

const stoppingSoon = () =>
  Response.json(notReady([{ name: "stopping", reason: "This process stops." }]), {
    status: 503,
    headers: { "Cache-Control": "no-store" },
  });

type Fetch = (request: Request, bindings: HttpBindings) => Response | Promise<Response>;

interface Mounted {
  readonly fetch: Fetch;
  readonly trust: ForwardTrust | null;
}

/** 503: main meant another instance, which had this address before, or it cannot be told whether it was main. */
function wrongInstance(): Response {
  const response = problemResponse(new TemporaryUnavailableError("This instance cannot answer for main."));
  response.headers.set(WRONG_INSTANCE_HEADER, "1");
  return response;
}

/** Takes the port. What is answered there is said with `mount`. Throws `StartError` when it cannot be had. */
export function listen(options: ListenerOptions): Listener {
  const clients = new ClientAddresses(options.trustedProxies);
  const stopping = new AbortController();
  let isDraining = false;
  const mounted = Promise.withResolvers<Mounted>();
  const server = bind(options, async (request, bun) => {
    if (!isDraining) return answer(request, bun);
    const isProbe = new URL(request.url).pathname === "/readyz";
    const response = isProbe ? stoppingSoon() : await answer(request, bun);
    response.headers.set("Connection", "close");
    return response;
  });
  const answer = async (request: Request, bun: Bun.Server<undefined>): Promise<Response> => {
    const { fetch, trust } = await mounted.promise;
    const proof = trust === null ? null : request.headers.get(FORWARDED_HEADER);
    const said = request.headers.get(CLIENT_HEADER);
    const verdict =
      proof === null ? null : await trust?.check(proof, provenPart(request.method, new URL(request.url), said));
    if (verdict === "elsewhere" || verdict === "unknown") return wrongInstance();
    if (verdict === "no") return problemResponse(new ForbiddenError("This request claims to come from main."));
    const known = verdict === "here" ? readClient(said) : null;
    const peer = bun.requestIP(request)?.address ?? "";
    const clientAddress = clients.of(peer, request.headers.get("X-Forwarded-For"));
    const isForwarded = FORWARDING_HEADERS.some((name) => request.headers.has(name));
    const secure =
      Boolean(options.tls) ||
      options.publicOrigin?.startsWith("https:") ||
      (clients.trusts(peer) && /^https\b/i.test(request.headers.get("X-Forwarded-Proto") ?? ""));
    const hosts = hostsOf(request.headers, clients.trusts(peer));
    return fetch(request, {
      clientAddress,
      behindUnknownProxy: isForwarded && clientAddress === clients.of(peer, null),
      secure,
      origin: options.publicOrigin ?? originOf(hosts, secure) ?? bun.url.origin,
      hosts,
      fromThisMachine: isThisMachine(peer) && !isForwarded,
      stopping: stopping.signal,
      forwarded: false,
      // What Bun.serve cannot send at once it copies to the connection; the tests of `computed-body.ts` hold it to that.
      copiesChunks: true,
      setIdleTimeout: (seconds) => bun.timeout(request, seconds),
      resetIdleTimeout: () => bun.timeout(request, options.idleTimeoutSeconds ?? IDLE_TIMEOUT_SECONDS),
      ...(known ? { ...known, forwarded: true, fromThisMachine: false } : {}),
    });
  };
  const addresses = reachableAt(options.host, server.port ?? options.port, options.tls ? "https" : "http");
  const stopped = () => problemResponse(new TemporaryUnavailableError("Kinora is stopping."));
  let closed: Promise<void> | null = null;
  return {
    url: addresses[0] ?? server.url.origin,
    addresses,
    mount(services, authenticator, { trust, checks = [] } = {}) {
      const app = assembleApp(services, { ...options, checks, authenticator });
      mounted.resolve({ fetch: (request, bindings) => app.fetch(request, bindings), trust: trust ?? null });
    },
    drain() {
      isDraining = true;
    },
    close(graceMs) {
      isDraining = true;
      mounted.resolve({ fetch: stopped, trust: null });
      stopping.abort();
      closed ??= stop(server, graceMs);
      return closed;
    },
  };
}

function bind(
  { host, port, log, tls, idleTimeoutSeconds = IDLE_TIMEOUT_SECONDS }: ListenerOptions,
  fetch: (request: Request, server: Bun.Server<undefined>) => Promise<Response>,
): Bun.Server<undefined> {
  const secured = tls ? { tls: readTls(tls) } : {};
  try {
    return Bun.serve({
      hostname: host,
      port,
      ...secured,
      idleTimeout: idleTimeoutSeconds,
      // Limits are kept where they are answered with a problem document: `limitBody`, and the uploads' own.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      // Bun's page for developers shows sources and paths.
      development: false,
      // Its default in production would share the port with whoever else asks for it.
      reusePort: false,
      // What no app has caught: an answer whose file is gone by the time it is sent, above all.
      error: (error) => {
        log.error({ err: error }, "answer failed");
        const response = problemResponse(error instanceof ProblemError ? error : null);
        response.headers.set("X-Content-Type-Options", "nosniff");
        return response;
      },
      fetch,
    });
  } catch (cause) {
    throw listenError(`${isIP(host) === 6 ? `[${host}]` : host}:${port}`, cause);
  }
}

function listenError(address: string, cause: unknown): StartError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "EADDRINUSE") {
    const hint = "Stop the program that listens there, or choose another port with `listen` (KINORA_LISTEN).";
    return new StartError(`${address} is in use by another program.`, hint, { cause });
  }
  const why = code === "EACCES" ? "it takes more rights" : "this machine does not have that address";
  const hint = "Choose another address with `listen` (KINORA_LISTEN), such as 127.0.0.1:8080.";
  return new StartError(`Kinora cannot listen on ${address}: ${why} (${code ?? cause}).`, hint, { cause });
}

/** The first name a proxy passed on is the client's, before the one the proxy itself used. */
function originOf([own, forwarded]: readonly string[], secure: boolean): string | null {
  return URL.parse(`${secure ? "https" : "http"}://${(forwarded ?? own ?? "").trim()}`)?.origin ?? null;
}

const isThisMachine = (address: string) =>
  address === "::1" || address.startsWith("127.") || address.startsWith("::ffff:127.");

async function stop(server: Bun.Server<undefined>, graceMs: number): Promise<void> {
  await Promise.race([server.stop(), Bun.sleep(graceMs)]);
  await server.stop(true);
}
