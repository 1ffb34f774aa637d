import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Logger } from "pino";
import { UnauthorizedError } from "../errors.ts";
import type { MountedService } from "../service.ts";
import { createApp } from "./app.ts";
import { type HttpEnv, requireRole } from "./env.ts";
import type { Metrics } from "./metrics.ts";

/** How long a service may take to say that it is ready. */
const READY_TIMEOUT_MS = 2_000;

/** The write tests are done again after this: anybody may ask. */
const CHECK_AGAIN_MS = 1_000;

/** Something beside the services that Kinora needs, such as room on a disk. */
export interface ReadinessCheck {
  /** What `/readyz` calls it. */
  readonly name: string;
  /** What strangers are told when it is not there; the error itself goes to the log. */
  readonly reason: string;
  /** Whether it is about others than this process and what it keeps: another instance would find the same. */
  readonly isOfOthers?: boolean;
  /** Rejects with the reason why it is not there. */
  check(): Promise<void>;
}

/** A service or a check, as `/readyz` asks it. */
interface Asked extends Omit<ReadinessCheck, "check"> {
  ready(): Promise<void>;
}

/**
 * What an operator's tools ask. `/healthz`: this process answers. `/readyz`: each service can do its work and each check
 * passes, or 503 with what does not; with `?only=self` only what is this process's own. `/metrics`: for admins, and for whoever
 * asks from this machine without a proxy.
 */
export function operationsRoutes(
  services: readonly MountedService[],
  metrics: Metrics,
  checks: readonly ReadinessCheck[],
): OpenAPIHono<HttpEnv> {
  const app = createApp();
  const asked: readonly Asked[] = [
    ...services.map(({ name, service }) => ({ name, reason: NOT_READY, ready: () => service.ready() })),
    ...checks.map((one) => ({ ...one, ready: onceIn(CHECK_AGAIN_MS, () => one.check()) })),
  ];
  const missing = whatIsMissing(asked);
  app.get("/healthz", (c) => c.json({ status: "ok" }, 200, NOT_KEPT));
  app.get("/readyz", async (c) => {
    const reasons = await missing(c.req.query("only") === "self", c.get("log"));
    if (reasons.length === 0) return c.json({ status: "ready" }, 200, NOT_KEPT);
    return c.json(notReady(reasons), 503, NOT_KEPT);
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

/** Asks all of them, or what is this process's own, and logs what has changed since the last time: probes ask every second. */
function whatIsMissing(asked: readonly Asked[]) {
  const known = new Map<string, string | null>();
  return async (own: boolean, log: Logger) => {
    const answers = asked
      .filter(({ isOfOthers }) => !own || !isOfOthers)
      .map(async ({ name, reason, ready }) => {
        const error = await whyNotReady(ready());
        const before = known.get(name) ?? null;
        known.set(name, error);
        if (error !== null && error !== before) log.warn({ name, reason: error }, "not ready");
        if (error === null && before !== null) log.info({ name }, "ready again");
        return error === null ? [] : [{ name, reason }];
      });
    return (await Promise.all(answers)).flat();
  };
}

const NOT_READY = "It cannot do its work right now.";

/** What `/readyz` answers with 503. */
export const notReady = (reasons: readonly { readonly name: string; readonly reason: string }[]) => ({
  status: "not-ready",
  notReady: reasons.map(({ name }) => name),
  reasons,
});

const NOT_KEPT = { "Cache-Control": "no-store" };

/** The same promise for everybody who asks within this time. */
function onceIn(ms: number, ask: () => Promise<void>): () => Promise<void> {
  let last: { readonly atMs: number; readonly answer: Promise<void> } | null = null;
  return () => {
    if (!last || performance.now() - last.atMs > ms) last = { atMs: performance.now(), answer: ask() };
    return last.answer;
  };
}

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
