import type { OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import type { Logger } from "pino";
import type { ServiceName } from "../bus/contract.ts";
import { NotFoundError, ProblemError } from "../errors.ts";
import type { Authenticator } from "../identity/authenticator.ts";
import type { MountedService, Service } from "../service.ts";
import { AllowedHosts, type HostRules } from "./allowed-hosts.ts";
import { apiDocsRoutes } from "./api-docs.ts";
import { createApp } from "./app.ts";
import { limitBody } from "./body-limit.ts";
import type { HttpEnv } from "./env.ts";
import { grantAccess, grantHeaders, sharedAccess } from "./grant-access.ts";
import type { Metrics } from "./metrics.ts";
import { describeApi } from "./openapi.ts";
import { operationsRoutes, type ReadinessCheck } from "./operations.ts";
import { problemResponse } from "./problem.ts";
import { sameOrigin } from "./same-origin.ts";

export interface AppOptions extends HostRules {
  readonly authenticator: Authenticator;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly checks?: readonly ReadinessCheck[];
}

/** Paths that need to know who asks. Everything else is the same for everybody. */
const IDENTIFIED = ["/api/*", "/stream/*", "/metrics"];

/** Where a grant may stand in the URL, for the pages of any site as well. */
const MEDIA = "/stream/*";
/** Where one may as well, to read what a page of ours shows whoever has a link. */
const SHARED = ["/api/titles", "/api/titles/:id", "/api/collections/:id"];

/** Answered whatever the request calls this machine: probes use names of their own, and it tells nothing. */
const ANY_HOST = "/healthz";

/** One app for all services that live here: request ids, log, metrics, hosts, body limit, CSRF rule, identity, errors, operations. */
export function assembleApp(services: readonly MountedService[], options: AppOptions): OpenAPIHono<HttpEnv> {
  const app = createApp();
  app.use(accompany(options));
  const hosts = new AllowedHosts(options);
  app.use(async (c, next) => {
    if (c.req.path !== ANY_HOST && !c.env.forwarded) hosts.require(c.env.hosts);
    await next();
  });
  app.use(sameOrigin(options.publicOrigin));
  for (const { service } of services) if (service.forward) app.use(sendOn(service.forward));
  app.use(limitBody(services.flatMap(({ service }) => service.largeBodies ?? [])));
  const identify: MiddlewareHandler<HttpEnv> = async (c, next) => {
    if (c.get("grant") === null) c.set("principal", await options.authenticator.authenticate(c.req.raw));
    await next();
  };
  app.use(MEDIA, grantHeaders);
  app.use(MEDIA, grantAccess(options.authenticator));
  for (const path of SHARED) app.use(path, sharedAccess(options.authenticator));
  for (const path of IDENTIFIED) app.use(path, identify);
  app.route("/", operationsRoutes(services, options.metrics, options.checks ?? []));
  app.route(
    "/",
    apiDocsRoutes(
      () => describeApi(app),
      services.find(({ service }) => service.describeOthers)?.service.describeOthers,
    ),
  );
  for (const { service } of services) app.route("/", service.routes);
  app.notFound((c) => {
    const allowed = methodsAt(app, c.req.path);
    if (allowed.length === 0) {
      for (const { service } of services) {
        const page = service.nothingHere?.(c);
        if (page) return page;
      }
    }
    const error = allowed.length > 0 ? new MethodNotAllowedError(c.req.method, allowed) : new NotFoundError(NOTHING);
    return problemResponse(error);
  });
  return app;
}

/** What another process owns is answered there; what came from main stays here, so that nothing goes in circles. */
function sendOn(forward: NonNullable<Service["forward"]>): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const answer = c.env.forwarded ? null : await forward(c);
    if (answer === null) await next();
    else c.res = answer;
  };
}

/** A route that some service answers. */
export interface MountedRoute {
  readonly service: ServiceName;
  readonly method: string;
  /** The pattern, with `:name` for what varies. */
  readonly path: string;
}

/** What the services answer; middleware is left out. */
export function routesOf(services: readonly MountedService[]): MountedRoute[] {
  return services.flatMap(({ name, service }) =>
    service.routes.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => ({ service: name, method, path })),
  );
}

const NOTHING = "There is nothing at this address.";

/** 405 `method-not-allowed`: the address exists, for other methods; `Allow` names them (RFC 9110 section 15.5.6). */
class MethodNotAllowedError extends ProblemError {
  constructor(method: string, allowed: readonly string[]) {
    super("method-not-allowed", `${method} is not possible here; ${allowed.join(", ")} is.`, {
      status: 405,
      headers: { Allow: allowed.join(", ") },
    });
  }
}

/** The methods some route answers at a path. HEAD stands wherever GET does. */
function methodsAt(app: OpenAPIHono<HttpEnv>, path: string): string[] {
  const answered = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].filter((method) =>
    app.router.match(method, path)[0].some(([[, route]]) => route.method === method),
  );
  return answered.includes("GET") ? ["GET", "HEAD", ...answered.slice(1)] : answered;
}

/** How a request is counted whose client left before it was complete: nobody was told of a mistake. */
const CLIENT_CLOSED = 499;

/** What goes along with every request: id, log, metrics and the headers every answer has. */
function accompany({ log, metrics }: AppOptions): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const start = performance.now();
    const requestId = Bun.randomUUIDv7();
    c.set("requestId", requestId);
    c.set("log", log.child({ requestId }));
    c.set("principal", null);
    c.set("grant", null);
    await next();
    if (c.req.method === "HEAD") await nameLength(c);
    c.res.headers.set("X-Request-Id", requestId);
    c.res.headers.set("X-Content-Type-Options", "nosniff");
    if (!c.res.headers.has("Referrer-Policy")) c.res.headers.set("Referrer-Policy", "same-origin");
    const seconds = (performance.now() - start) / 1000;
    const gone = c.res.status >= 400 && c.res.status < 500 && c.req.raw.signal.aborted;
    const status = gone ? CLIENT_CLOSED : c.res.status;
    metrics.answered({ method: c.req.method, route: c.req.routePath, status, seconds });
    const level = c.req.path.startsWith("/api/") && !gone ? "info" : "debug";
    // The path only: a query may hold a grant.
    c.get("log")[level](
      { method: c.req.method, path: c.req.path, status, ms: Math.round(seconds * 1e6) / 1e3 },
      gone ? "the client left" : "answered",
    );
  };
}

/**
 * RFC 9110 section 9.3.2: HEAD sends the header fields GET would have sent. Only JSON, which is in memory anyway;
 * whoever answers with media names the length itself.
 */
async function nameLength(c: { res: Response }): Promise<void> {
  const { headers, status, body } = c.res;
  if (!body || headers.has("Content-Length") || !/^application\/(\w+\+)?json\b/.test(headers.get("Content-Type") ?? ""))
    return;
  const length = (await c.res.arrayBuffer()).byteLength;
  const named = new Response(null, { status, headers });
  named.headers.set("Content-Length", String(length));
  c.res = named;
}
