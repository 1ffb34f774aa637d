import type { BusConnection } from "../bus/bus.ts";
import { announcePresence } from "../bus/presence.ts";
import { serveContract } from "../bus/proxy.ts";
import { subscribe } from "../bus/topics.ts";
import { createApp } from "../http/app.ts";
import type { Authenticator } from "../identity/authenticator.ts";
import type { Service } from "../service.ts";
import { mainContract, Progress, ServiceAvailability } from "./contract.ts";
import { COMMENT_EVERY_MS } from "./event-stream.ts";
import { ProgressFeed } from "./progress-feed.ts";
import { ServiceRegistry } from "./registry.ts";
import { mainRoutes } from "./routes.ts";
import { createWebApp, loadWebAssets } from "./web-app.ts";

export interface MainDependencies {
  readonly connection: BusConnection;
  readonly authenticator: Authenticator;
  /** Base URLs of the listener its routes are on. */
  readonly addresses: () => string[];
  /** How often an idle event stream gets a comment; 15 s by default. */
  readonly commentEveryMs?: number;
}

/** Starts the main service: registry, entry point, event streams, web app. */
export async function startMain(dependencies: MainDependencies): Promise<Service> {
  const { connection, authenticator, addresses, commentEveryMs = COMMENT_EVERY_MS } = dependencies;
  const registry = new ServiceRegistry();
  const feed = new ProgressFeed();
  await subscribe(connection, ServiceAvailability, (event) => registry.heard(event));
  await subscribe(connection, Progress, (event) => feed.push(event));
  await serveContract(connection, mainContract, {
    locate: async ({ service }) => registry.locate(service),
    listServices: async () => ({ items: registry.list() }),
  });
  const presence = await announcePresence(connection, addresses);
  const routes = createApp();
  routes.route("/", mainRoutes({ registry, feed, authenticator, commentEveryMs }));
  routes.route("/", createWebApp(await loadWebAssets()));
  return {
    routes,
    ready: async () => undefined,
    async close() {
      await presence.close();
      await connection.close();
    },
  };
}
