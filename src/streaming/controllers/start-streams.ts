import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Logger } from "pino";
import { authContract, type Revocation } from "../../auth/contract.ts";
import type { BusConnection } from "../../bus/bus.ts";
import { detached } from "../../bus/call-in-hand.ts";
import { Peers } from "../../bus/peers.ts";
import { proxyOf } from "../../bus/proxy.ts";
import { publish, subscribe } from "../../bus/topics.ts";
import type { HttpEnv } from "../../http/env.ts";
import { logFailure } from "../../http/failure-log.ts";
import type { GaugeSource } from "../../http/metrics.ts";
import type { Authenticator } from "../../identity/authenticator.ts";
import { mainContract, Progress } from "../../main/contract.ts";
import { type StreamEvent, StreamerSync, type StreamSummary, streamingContract } from "../contract.ts";
import type { LiveStreams } from "../live-streams.ts";
import type { PlayUrls } from "../play-urls.ts";
import type { RtpOriginals } from "../rtp-originals.ts";
import type { TitleGate } from "../title-gate.ts";
import { systemClock } from "./clock.ts";
import { OrphanedGrants } from "./orphaned-grants.ts";
import { StreamControllers } from "./stream-controllers.ts";
import { StreamDirectory } from "./stream-directory.ts";
import { StreamEvents } from "./stream-events.ts";
import { type RtpPushes, StreamOpener } from "./stream-opener.ts";
import { operationsOf, type StreamOperations } from "./stream-operations.ts";
import { createStreamRoutes } from "./stream-routes.ts";

/** How long another instance may take to tell of its streams, in milliseconds: one that is left out has none. */
const PEER_MS = 5_000;

/** What the composition root decides about streams. */
export interface StreamSettings {
  readonly authenticator: Authenticator;
  /** Makes revocations count in this process before the bus brings them around. */
  readonly applyRevocations: (revocations: readonly Revocation[]) => void;
  /** What plays in this process; the RTSP server registers its sessions there. */
  readonly live: LiveStreams;
  readonly pushes: RtpPushes;
  /** Shows a gauge in `/metrics`. */
  readonly gauge: (source: GaugeSource) => void;
  readonly graceMs: number;
  readonly perUser: number;
  readonly max: number;
  /** How long a stream runs on by a credential that does not say when it expires. */
  readonly tokenLifetimeMs: number;
  /** How long a stream may last. */
  readonly grantLifetimeMs: number;
}

export interface StreamsDependencies extends StreamSettings {
  readonly connection: BusConnection;
  readonly gate: TitleGate;
  readonly originals: RtpOriginals;
  readonly urls: PlayUrls;
  readonly log: Logger;
}

/** The part of the streaming service that controls streams. */
export interface Streams {
  readonly routes: OpenAPIHono<HttpEnv>;
  readonly operations: StreamOperations;
  /** A title was changed or deleted. */
  titleChanged(titleId: string): void;
  /** Ends all streams. */
  close(): Promise<void>;
}

/** Puts stream controllers on the bus and behind routes. */
export async function startStreams(dependencies: StreamsDependencies): Promise<Streams> {
  const { connection, authenticator, gate, live, log, graceMs } = dependencies;
  const { instance } = connection.identity;
  const auth = proxyOf(connection, authContract);
  const publishEvent = (id: string, event: StreamEvent) => publish(connection, StreamerSync, event, id);
  const controllers = new StreamControllers({
    ...{ clock: systemClock, instance, graceMs, live, log },
    ...{ perUser: dependencies.perUser, max: dependencies.max },
    onRevoked: (who, cut) => authenticator.onRevoked(who, cut),
    admit: (titleId, who) => gate.admit(titleId, who),
    revokeGrant: async (id) => {
      dependencies.applyRevocations([grantRevocation(id, dependencies.grantLifetimeMs)]);
      // To be done, whether whoever stopped the stream still waits or not.
      await detached(() => auth.revokeGrants({ ids: [id], userId: null, kind: "stream" }));
    },
    publish: publishEvent,
    onChange: (summary, isOver) => void tellChange(connection, summary, isOver).catch(() => undefined),
  });
  const directory = new StreamDirectory({
    controllers,
    peers: new Peers({ main: proxyOf(connection, mainContract), ...connection.identity, timeoutMs: PEER_MS }),
    streaming: proxyOf(connection, streamingContract),
  });
  live.onEnded = (id) => {
    publishEvent(id, { type: "ended" }).catch((error: unknown) =>
      logFailure(log, error, "an end was not published", {}, "warn"),
    );
  };
  await subscribe(connection, StreamerSync, (event, id) => {
    // What plays here under a grant that another instance's controller holds.
    if (id !== null && !controllers.has(id)) follow(live, id, event);
  });
  const orphans = new OrphanedGrants({ auth, held: () => directory.allIds(), log });
  dependencies.gauge({
    name: "kinora_streams",
    help: "Streams under control right now, by protocol.",
    label: "protocol",
    read: () => controllers.counts(),
  });
  return {
    routes: routesOf(dependencies, controllers, directory),
    operations: operationsOf(controllers),
    titleChanged: (titleId) => controllers.titleChanged(titleId),
    async close() {
      orphans.close();
      await controllers.close();
    },
  };
}

function routesOf(dependencies: StreamsDependencies, controllers: StreamControllers, directory: StreamDirectory) {
  const { authenticator, connection, graceMs, originals, pushes, tokenLifetimeMs, urls } = dependencies;
  const auth = proxyOf(connection, authContract);
  const opener = new StreamOpener({
    ...{ clock: systemClock, originals, urls, pushes },
    issueGrant: (titleId, userId) => auth.issueGrant({ titleId, userId, kind: "stream" }),
    longestMs: dependencies.grantLifetimeMs,
  });
  const events = new StreamEvents({
    ...{ authenticator, graceMs },
    subscribe: (id, handler) => subscribe(connection, StreamerSync, handler, id),
    find: (id, who) => directory.get(id, who),
  });
  return createStreamRoutes({ controllers, directory, opener, events, tokenLifetimeMs });
}

/** For the lists of streams that somebody has open: what is missed is seen when they are read again. */
function tellChange(connection: BusConnection, { id, title, user }: StreamSummary, isOver: boolean): Promise<void> {
  const event = { kind: "stream" as const, id, userId: user.id, label: title.name, titleId: title.id };
  const state = isOver ? ("done" as const) : ("running" as const);
  return publish(connection, Progress, { ...event, state, done: 0, total: null, error: null });
}

function follow(live: LiveStreams, id: string, event: StreamEvent): void {
  if (event.type === "paused") live.pause(id);
  if (event.type === "resumed") live.resume(id);
  if (event.type === "stopped") live.close(id, event.reason);
}

/** Kept until the grant has expired by anybody's clock. */
function grantRevocation(id: string, lifetimeMs: number): Revocation {
  const now = Date.now();
  const until = new Date(now + lifetimeMs + 60_000).toISOString();
  return { kind: "grant", id, at: new Date(now).toISOString(), until };
}
