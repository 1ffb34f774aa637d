import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Logger } from "pino";
import type { Authenticator } from "../identity/authenticator.ts";
import { createApp } from "./app.ts";
import { ClientAddresses } from "./client-address.ts";
import type { HttpBindings, HttpEnv } from "./env.ts";
import { sameOrigin } from "./same-origin.ts";

/** Seconds a connection may be silent unless its route says otherwise. */
const IDLE_TIMEOUT_SECONDS = 60;

export interface ListenerOptions {
  readonly hostname: string;
  readonly port: number;
  readonly authenticator: Authenticator;
  readonly trustedProxies: readonly string[];
  /** Origin of `publicUrl`; null when not set. */
  readonly publicOrigin: string | null;
  readonly log: Logger;
  /** Called after each answer, for metrics. `route` is the pattern, never the path. */
  readonly onAnswer?: (answer: { method: string; route: string; status: number; seconds: number }) => void;
}

export interface Listener {
  /** Base URL it can be reached at, with the real port. */
  readonly url: string;
  /** Stops accepting, waits for running answers up to `graceMs`, then cuts them. */
  close(graceMs: number): Promise<void>;
}

/** Puts the routes of the services that live here behind one port: request ids, identity, CSRF rule, errors, log. */
export function listen(routes: readonly OpenAPIHono<HttpEnv>[], options: ListenerOptions): Listener {
  const app = assemble(routes, options);
  const addresses = new ClientAddresses(options.trustedProxies);
  const server = Bun.serve({
    hostname: options.hostname,
    port: options.port,
    idleTimeout: IDLE_TIMEOUT_SECONDS,
    // Uploads have their own limit, which answers with a problem document.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch(request, bun) {
      const bindings: HttpBindings = {
        clientAddress: addresses.of(bun.requestIP(request)?.address ?? "", request.headers.get("X-Forwarded-For")),
        setIdleTimeout: (seconds) => bun.timeout(request, seconds),
      };
      return app.fetch(request, bindings);
    },
  });
  return {
    url: server.url.origin,
    async close(graceMs) {
      await Promise.race([server.stop(), Bun.sleep(graceMs)]);
      await server.stop(true);
    },
  };
}

function assemble(routes: readonly OpenAPIHono<HttpEnv>[], options: ListenerOptions) {
  const app = createApp();
  app.use(async (c, next) => {
    const start = performance.now();
    const requestId = Bun.randomUUIDv7();
    c.set("requestId", requestId);
    c.set("log", options.log.child({ requestId }));
    c.set("principal", null);
    await next();
    c.res.headers.set("X-Request-Id", requestId);
    c.res.headers.set("X-Content-Type-Options", "nosniff");
    c.res.headers.set("Referrer-Policy", "same-origin");
    const seconds = (performance.now() - start) / 1000;
    const { method } = c.req;
    const status = c.res.status;
    options.onAnswer?.({ method, route: c.req.routePath, status, seconds });
    const level = c.req.path.startsWith("/api/") ? "info" : "debug";
    c.get("log")[level]({ method, path: c.req.path, status, ms: Math.round(seconds * 1e6) / 1e3 }, "answered");
  });
  app.use(sameOrigin(options.publicOrigin));
  const identify = createIdentify(options.authenticator);
  app.use("/api/*", identify);
  app.use("/stream/*", identify);
  for (const service of routes) app.route("/", service);
  return app;
}

function createIdentify(authenticator: Authenticator) {
  return async (
    c: { req: { raw: Request }; set: (key: "principal", who: HttpEnv["Variables"]["principal"]) => void },
    next: () => Promise<void>,
  ) => {
    c.set("principal", await authenticator.authenticate(c.req.raw));
    await next();
  };
}
