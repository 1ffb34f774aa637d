import type { BusConnection } from "../bus/bus.ts";
import { announcePresence } from "../bus/presence.ts";
import { createApp } from "../http/app.ts";
import type { Service } from "../service.ts";
import { createWebApp, loadWebAssets } from "./web-app.ts";

export interface MainDependencies {
  readonly connection: BusConnection;
  /** Base URLs of the listener its routes are on. */
  readonly addresses: () => string[];
}

/** Starts the main service: registry, entry point, web app. */
export async function startMain({ connection, addresses }: MainDependencies): Promise<Service> {
  const presence = await announcePresence(connection, addresses);
  const routes = createApp();
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
