import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { decodeJwt } from "jose";
import { createApp } from "../../http/app.ts";
import { type HttpContext, type HttpEnv, requirePrincipal } from "../../http/env.ts";
import { idParam, noQuery, problems } from "../../http/route-parts.ts";
import { stopReason, streamHandle, streamProtocol, streamSummary } from "../contract.ts";
import { ownAddressOf } from "./client-target.ts";
import type { StreamControllers } from "./stream-controllers.ts";
import type { StreamDirectory } from "./stream-directory.ts";
import type { StreamEvents } from "./stream-events.ts";
import type { OpenRequest, RtpTarget, StreamOpener } from "./stream-opener.ts";

/** Ports below are reserved for services of the system. */
const LOWEST_PORT = 1024;
const HIGHEST_PORT = 65_534;

export interface StreamRoutesDependencies {
  readonly controllers: StreamControllers;
  readonly directory: StreamDirectory;
  readonly opener: StreamOpener;
  readonly events: StreamEvents;
  /** For credentials that do not say when they expire. */
  readonly tokenLifetimeMs: number;
}

const tags = ["Streams"];
const noStore = { "Cache-Control": "no-store" };

// Made anew: schemas older than the OpenAPI extension do not have its method.
const handleBody = { "application/json": { schema: z.object(streamHandle.shape).openapi("Stream") } };
const summarySchema = z.object(streamSummary.shape).openapi("StreamSummary");
const summaryBody = { "application/json": { schema: summarySchema } };

const start = z
  .strictObject({
    titleId: z.uuid(),
    protocol: streamProtocol,
    clientPort: z
      .int()
      .min(LOWEST_PORT)
      .max(HIGHEST_PORT)
      .refine((port) => port % 2 === 0, "expected an even port (RFC 3550 section 11)")
      .optional(),
  })
  .refine(({ protocol, clientPort }) => (protocol === "rtp") === (clientPort !== undefined), {
    message: "expected with protocol rtp, and only then",
    path: ["clientPort"],
  });

const createStream = createRoute({
  method: "post",
  path: "/api/streams",
  tags,
  summary: "Start a stream under control",
  description:
    "`rtsp` and `hls` answer with a URL for a player; it stays the same for as long as the stream runs. `rtp` sends " +
    "packets to the address this request came from: the first track to `clientPort` (even, RTCP one above), each further " +
    "track two ports higher, as the SDP says. The stream must be refreshed before `expiresAt`, which is when the " +
    "credential of this request expires.",
  request: {
    query: noQuery,
    body: { required: true, content: { "application/json": { schema: start } } },
  },
  responses: {
    201: { description: "It is ready to be played.", content: handleBody },
    ...problems(400, 401, 403, 404, 422, 429, 503),
  },
});

const listStreams = createRoute({
  method: "get",
  path: "/api/streams",
  tags,
  summary: "My streams; all of them for admins",
  request: { query: noQuery },
  responses: {
    200: {
      description: "The newest first.",
      content: { "application/json": { schema: z.object({ items: z.array(summarySchema) }) } },
    },
    ...problems(400, 401, 503),
  },
});

const refreshStream = createRoute({
  method: "post",
  path: "/api/streams/{id}/refresh",
  tags,
  summary: "Renew one of my streams by the credential of this request",
  request: { params: idParam, query: noQuery },
  responses: {
    200: { description: "It runs on. The URL is the same.", content: handleBody },
    ...problems(400, 401, 403, 404, 503),
  },
});

const control = (action: "pause" | "resume", summary: string) =>
  createRoute({
    method: "post",
    path: `/api/streams/{id}/${action}` as const,
    tags,
    summary,
    description: "For its owner and for admins. RTP and RTSP; HLS players are paused in the player (409).",
    request: { params: idParam, query: noQuery },
    responses: { 200: { description: "The stream.", content: summaryBody }, ...problems(400, 401, 404, 409, 503) },
  });

const stopStream = createRoute({
  method: "delete",
  path: "/api/streams/{id}",
  tags,
  summary: "Stop a stream: its owner and admins",
  request: { params: idParam, query: noQuery },
  responses: { 204: { description: "It is over, and its URL plays no more." }, ...problems(400, 401, 404, 503) },
});

const followStream = createRoute({
  method: "get",
  path: "/api/streams/{id}/events",
  tags,
  summary: "What happens to a stream, as it happens",
  description:
    "Server-sent events with JSON data: `authentication-requested` `{id, stopsAt}`, `paused`, `resumed`, `ended` (played to " +
    `its end), and last \`stopped\` \`{id, reason}\`: ${stopReason.options.join(", ")}. A comment every 15 s.`,
  request: { params: idParam, query: noQuery },
  responses: {
    200: { description: "Events until it stops.", content: { "text/event-stream": { schema: z.string() } } },
    ...problems(400, 401, 404, 429, 503),
  },
});

/** `/api/streams`: stream controllers, wherever they are held. */
export function createStreamRoutes(dependencies: StreamRoutesDependencies): OpenAPIHono<HttpEnv> {
  const { controllers, directory, opener, events, tokenLifetimeMs } = dependencies;
  const app = createApp();
  app.openapi(createStream, async (c) => {
    const who = requirePrincipal(c);
    const { titleId, protocol, clientPort } = c.req.valid("json");
    const request: OpenRequest = {
      ...{ who, titleId, protocol },
      expiresAtMs: expiryOf(c, tokenLifetimeMs),
      origin: c.env.origin,
      target: clientPort === undefined ? null : targetOf(c, clientPort),
    };
    const elsewhere = await directory.countElsewhere(who.userId);
    return c.json(await controllers.create(request, elsewhere, (asked) => opener.open(asked)), 201, noStore);
  });
  app.openapi(listStreams, async (c) => {
    const { role, userId } = requirePrincipal(c);
    return c.json({ items: await directory.list(role === "admin" ? null : userId) }, 200, noStore);
  });
  app.openapi(refreshStream, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await directory.refresh(id, requirePrincipal(c), expiryOf(c, tokenLifetimeMs)), 200, noStore);
  });
  app.openapi(control("pause", "Pause what is sent"), async (c) =>
    c.json(await directory.control(c.req.valid("param").id, requirePrincipal(c), "pause"), 200, noStore),
  );
  app.openapi(control("resume", "Go on after a pause"), async (c) =>
    c.json(await directory.control(c.req.valid("param").id, requirePrincipal(c), "resume"), 200, noStore),
  );
  app.openapi(stopStream, async (c) => {
    const { id } = c.req.valid("param");
    const who = requirePrincipal(c);
    const { user } = await directory.control(id, who, "stop");
    if (user.id !== who.userId)
      c.get("log").info(
        { audit: "stream-stopped", by: who.userId, stream: id, user: user.id },
        "stream stopped by an admin",
      );
    return c.body(null, 204);
  });
  app.openapi(followStream, (c) => {
    const who = requirePrincipal(c);
    return events.open({ id: c.req.valid("param").id, who, request: c.req.raw, stopping: c.env.stopping });
  });
  return app;
}

const targetOf = (c: HttpContext, port: number): RtpTarget => ({ address: ownAddressOf(c.env), port });

/** When the request's credential expires: what a token says, for others as long as a token would count from now. */
function expiryOf(c: HttpContext, tokenLifetimeMs: number): number {
  const byDefault = Date.now() + tokenLifetimeMs;
  if (requirePrincipal(c).credential.kind !== "token") return byDefault;
  // It has been verified: only what it says is asked for.
  const { exp } = decodeJwt((c.req.header("Authorization") ?? "").trim().split(/\s+/)[1] ?? "");
  return exp === undefined ? byDefault : Math.round(exp * 1000);
}
