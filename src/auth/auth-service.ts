import type { BusConnection } from "../bus/bus.ts";
import { announcePresence } from "../bus/presence.ts";
import { createApp } from "../http/app.ts";
import type { Service } from "../service.ts";

export interface AuthDependencies {
  readonly connection: BusConnection;
  /** Base URLs of the listener its routes are on. */
  readonly addresses: () => string[];
}

/** Starts the auth service. */
export async function startAuth({ connection, addresses }: AuthDependencies): Promise<Service> {
  const presence = await announcePresence(connection, addresses);
  return {
    routes: createApp(),
    ready: async () => undefined,
    async close() {
      await presence.close();
      await connection.close();
    },
  };
}
