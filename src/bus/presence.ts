import { ServiceAvailability } from "../main/contract.ts";
import type { BusConnection } from "./bus.ts";
import { publish } from "./topics.ts";

export const HEARTBEAT_MS = 2_000;

/** A running instance's heartbeat on `ServiceAvailability`. */
export interface Presence {
  /** Says goodbye, so that nobody waits for missed heartbeats. */
  close(): Promise<void>;
}

/** What else others may want to know of an instance. */
export interface PresenceDetails {
  /** `host:port` of its RTSP server. */
  readonly rtsp?: string;
  /** The store of uploads that it reaches. */
  readonly store?: string;
}

/** Announces this instance now and every 2 s. `addresses` are the base URLs of its HTTP listener. */
export async function announcePresence(
  connection: BusConnection,
  addresses: () => string[],
  details: () => PresenceDetails = () => ({}),
): Promise<Presence> {
  const since = new Date().toISOString();
  const { service, instance } = connection.identity;
  const beat = () =>
    publish(connection, ServiceAvailability, {
      ...{ type: "available", service, instance, addresses: addresses(), since },
      ...details(),
    });
  await beat();
  // A beat that fails is made good by the next one.
  const timer = setInterval(() => void beat().catch(() => undefined), HEARTBEAT_MS);
  return {
    async close() {
      clearInterval(timer);
      await publish(connection, ServiceAvailability, { type: "goodbye", service, instance });
    },
  };
}
