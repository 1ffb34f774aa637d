import type { OpenAPIHono } from "@hono/zod-openapi";
import { UnauthorizedError } from "../errors.ts";
import type { MountedService } from "../service.ts";
import { createApp } from "./app.ts";
import { type HttpEnv, requireRole } from "./env.ts";
import type { Metrics } from "./metrics.ts";

/** How long a service may take to say that it is ready. */
const READY_TIMEOUT_MS = 2_000;

/**
 * What an operator's tools ask. `/healthz`: this process answers. `/readyz`: each service can do its work, or 503
 * with the names of those that cannot. `/metrics`: for admins, and for whoever asks from this machine without a proxy.
 */
export function operationsRoutes(services: readonly MountedService[], metrics: Metrics): OpenAPIHono<HttpEnv> {
  const app = createApp();
  app.get("/healthz", (c) => c.json({ status: "ok" }, 200, NOT_KEPT));
  app.get("/readyz", async (c) => {
    const failures = await Promise.all(
      services.map(async ({ name, service }) => {
        const reason = await whyNotReady(service.ready());
        if (reason !== null) c.get("log").warn({ service: name, reason }, "not ready");
        return reason === null ? [] : [name];
      }),
    );
    const notReady = failures.flat();
    if (notReady.length > 0) return c.json({ status: "not-ready", notReady }, 503, NOT_KEPT);
    return c.json({ status: "ready" }, 200, NOT_KEPT);
  });
  app.get("/metrics", async (c) => {
    if (!c.env.fromThisMachine) {
      if (!c.get("principal")) throw new UnauthorizedError("Sign in as an admin, or ask from Kinora's own machine.");
      requireRole(c, "admin");
    }
    const registry = await metrics.registry();
    return c.body(await registry.metrics(), 200, { "Content-Type": registry.contentType, ...NOT_KEPT });
  });
  return app;
}

const NOT_KEPT = { "Cache-Control": "no-store" };

async function whyNotReady(ready: Promise<void>): Promise<string | null> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${READY_TIMEOUT_MS} ms`)), READY_TIMEOUT_MS);
  try {
    await Promise.race([ready, late.promise]);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}
