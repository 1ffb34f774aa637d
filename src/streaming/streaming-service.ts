import type { BusConnection } from "../bus/bus.ts";
import { announcePresence } from "../bus/presence.ts";
import { createApp } from "../http/app.ts";
import type { Service } from "../service.ts";

export interface StreamingDependencies {
  readonly connection: BusConnection;
  /** Base URLs of the listener its routes are on. */
  readonly addresses: () => string[];
}

/** Starts the streaming service. */
export async function startStreaming({ connection, addresses }: StreamingDependencies): Promise<Service> {
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
