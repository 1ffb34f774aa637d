import { randomBytes } from "node:crypto";
import type { BusConnection } from "../bus/bus.ts";
import { serviceNames } from "../bus/contract.ts";
import { announcePresence, hearPresence } from "../bus/presence.ts";
import { proxyOf, serveContract } from "../bus/proxy.ts";
import { subscribe } from "../bus/topics.ts";
import { catalogContract } from "../catalog/contract.ts";
import { createApp } from "../http/app.ts";
import type { HttpContext } from "../http/env.ts";
import type { Authenticator } from "../identity/authenticator.ts";
import { forwardKeyFor } from "../identity/forward-proof.ts";
import type { Service } from "../service.ts";
import { uploadContract } from "../upload/contract.ts";
import { mainContract, Progress } from "./contract.ts";
import { COMMENT_EVERY_MS } from "./event-stream.ts";
import { Forwarder } from "./forwarder.ts";
import { Places } from "./places.ts";
import { ProgressFeed } from "./progress-feed.ts";
import { ServiceRegistry } from "./registry.ts";
import { mainRoutes } from "./routes.ts";
import { createWebApp, loadWebAssets, nothingHere } from "./web-app.ts";

export interface MainDependencies {
  readonly connection: BusConnection;
  readonly authenticator: Authenticator;
  /** Base URLs of the listener its routes are on. */
  readonly addresses: () => string[];
  /** Whether services may run in other processes, to be reached through this one. */
  readonly forwards: boolean;
  /** How often an idle event stream gets a comment; 15 s by default. */
  readonly commentEveryMs?: number;
}

/** Starts the main service: registry, entry point, event streams, web app. */
export async function startMain(dependencies: MainDependencies): Promise<Service> {
  const { connection, authenticator, addresses, forwards, commentEveryMs = COMMENT_EVERY_MS } = dependencies;
  const secret = randomBytes(32).toString("base64url");
  const registry = new ServiceRegistry();
  const feed = new ProgressFeed();
  await hearPresence(connection, (event) => registry.heard(event));
  await subscribe(connection, Progress, (event) => feed.push(event));
  await serveContract(connection, mainContract, {
    // The bus vouches for who calls.
    getForwardKey: async (_, { caller }) => ({ key: forwardKeyFor(secret, caller.service) }),
    locate: async ({ service }) => registry.locate(service),
    listServices: async () => ({ items: registry.list() }),
  });
  const presence = await announcePresence(connection, addresses);
  const routes = createApp();
  routes.route("/", mainRoutes({ registry, feed, authenticator, commentEveryMs }));
  const assets = await loadWebAssets();
  routes.route("/", createWebApp(assets));
  const { instance } = connection.identity;
  const places = new Places({
    catalog: proxyOf(connection, catalogContract),
    upload: proxyOf(connection, uploadContract),
  });
  const forwarder = new Forwarder({ registry, places, instance, secret });
  return {
    routes,
    nothingHere: (c) => nothingHere(c, assets),
    ...(forwards
      ? { forward: (c: HttpContext) => forwarder.forward(c), describeOthers: () => forwarder.documents() }
      : {}),
    async ready() {
      const unheard = forwards ? registry.unheard : [];
      if (unheard.length > 0) throw new Error(`waits to hear of ${unheard.join(", ")}`);
    },
    missing: () => {
      const live = new Set(registry.list().map(({ service }) => service));
      return forwards ? serviceNames.filter((name) => !live.has(name)) : [];
    },
    leave: () => presence.close(),
    async close() {
      forwarder.close();
      await presence.close();
      await connection.close();
    },
  };
}
