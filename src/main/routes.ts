import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { createApp } from "../http/app.ts";
import { type HttpEnv, requirePrincipal } from "../http/env.ts";
import { json, noQuery, problems, refused } from "../http/route-parts.ts";
import type { Authenticator } from "../identity/authenticator.ts";
import { serviceInstance } from "./contract.ts";
import { eventStream } from "./event-stream.ts";
import type { ProgressFeed } from "./progress-feed.ts";
import type { HeardInstance, ServiceRegistry } from "./registry.ts";

export interface MainRoutesDependencies {
  readonly registry: ServiceRegistry;
  readonly feed: ProgressFeed;
  readonly authenticator: Authenticator;
  readonly commentEveryMs: number;
}

// Made anew: schemas older than the OpenAPI extension do not have its method.
const { service, instance, addresses, since, version, load } = serviceInstance.shape;
const shownInstance = z
  .object({
    ...{ service, instance, addresses, since, version, load },
    heardAt: z.iso.datetime().optional().describe("Its last heartbeat."),
  })
  .openapi("ServiceInstance", {
    description:
      "Version, load and last heartbeat are for admins, and so are the addresses of instances: for others they are those at which players reach Kinora.",
  });

const services = createRoute({
  method: "get",
  path: "/api/services",
  tags: ["Operations"],
  summary: "The service instances that run now",
  request: { query: noQuery },
  responses: {
    200: json(z.object({ items: z.array(shownInstance) }), "Live instances. One is gone 6 s after its last heartbeat."),
    ...problems(401),
  },
});

const events = createRoute({
  method: "get",
  path: "/api/events",
  tags: ["Operations"],
  summary: "Progress of scans, uploads and jobs, as it happens",
  request: { query: noQuery },
  responses: {
    200: {
      description:
        "Server-sent events `scan`, `upload`, `job` and `stream` with JSON data: one's own and those of the library; all of them for admins. A comment every 15 s.",
      content: { "text/event-stream": { schema: z.string() } },
    },
    ...problems(401),
    429: refused("Too many are open already."),
  },
});

/** What the main service answers itself. */
export function mainRoutes({
  registry,
  feed,
  authenticator,
  commentEveryMs,
}: MainRoutesDependencies): OpenAPIHono<HttpEnv> {
  const app = createApp();
  app.openapi(services, (c) => {
    const { role } = requirePrincipal(c);
    const items = registry.listHeard().map(role === "admin" ? inFull : (heard) => inPublic(heard, c.env.origin));
    return c.json({ items }, 200, { "Cache-Control": "no-store" });
  });
  app.openapi(events, (c) => {
    const who = requirePrincipal(c);
    const { stopping } = c.env;
    return eventStream({ feed, authenticator, who, request: c.req.raw, stopping, commentEveryMs });
  });
  return app;
}

/** What everybody who is signed in may know of an instance: where they themselves reach it, which is no address of a network behind. */
function inPublic({ instance: { direct, ...instance }, silentMs }: HeardInstance, origin: string) {
  return inShort({
    instance: { ...instance, addresses: direct === undefined ? [origin] : [direct, origin] },
    silentMs,
  });
}

function inShort({ instance: { service, instance, addresses, since } }: HeardInstance) {
  return { service, instance, addresses, since };
}

function inFull(heard: HeardInstance) {
  const { version, load } = heard.instance;
  const heardAt = new Date(Date.now() - heard.silentMs).toISOString();
  return { ...inShort(heard), heardAt, ...(version === undefined ? {} : { version }), ...(load ? { load } : {}) };
}
