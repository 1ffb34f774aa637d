import { type Availability, ServiceAvailability } from "../main/contract.ts";
import { version } from "../version.ts";
import type { BusConnection, Unsubscribe } from "./bus.ts";
import { publish, subscribe } from "./topics.ts";

export const HEARTBEAT_MS = 2_000;
/** How long a goodbye may take. */
const GOODBYE_MS = 500;

/** A running instance's heartbeat on `ServiceAvailability`. */
export interface Presence {
  /** Says goodbye, so that nobody waits for missed heartbeats. Calling it again does nothing. */
  close(): Promise<void>;
}

/** What else others may want to know of an instance. */
export interface PresenceDetails {
  /** `host:port` of its RTSP server. */
  readonly rtsp?: string;
  /** Base URL at which players reach its videos without main. */
  readonly direct?: string;
  /** The store of uploads that it reaches. */
  readonly store?: string;
  /** The name of its data folder, which outlives restarts. */
  readonly writer?: string;
}

/** Announces this instance now and every 2 s. `addresses` are the base URLs of its HTTP listener. */
export async function announcePresence(
  connection: BusConnection,
  addresses: () => string[],
  details: () => PresenceDetails = () => ({}),
): Promise<Presence> {
  const since = new Date().toISOString();
  const { service, instance } = connection.identity;
  const load = loadMeter();
  const beat = () =>
    publish(connection, ServiceAvailability, {
      ...{ type: "available", service, instance, addresses: addresses(), since },
      ...details(),
      version,
      load: load(),
    });
  await beat();
  // A beat that fails is made good by the next one.
  const timer = setInterval(() => void beat().catch(() => undefined), HEARTBEAT_MS);
  let said: Promise<void> | null = null;
  const goodbye = async () => {
    const saying = publish(connection, ServiceAvailability, { type: "goodbye", service, instance });
    // Without a broker there is nobody to say it to.
    await Promise.race([saying.catch(() => undefined), Bun.sleep(GOODBYE_MS)]);
  };
  return {
    close() {
      clearInterval(timer);
      said ??= goodbye();
      return said;
    },
  };
}

/** Hears of the instances that come, live and go. What a service says of another one's instances is not heard. */
export function hearPresence(connection: BusConnection, handler: (event: Availability) => void): Promise<Unsubscribe> {
  return subscribe(connection, ServiceAvailability, (event, _key, sender) => {
    if (event.service === sender) handler(event);
  });
}

/** What this process takes: of the processor since it was asked before, of memory now. */
function loadMeter() {
  let before = { atMs: performance.now(), usage: process.cpuUsage() };
  return () => {
    const now = { atMs: performance.now(), usage: process.cpuUsage() };
    const usedMs = (now.usage.user + now.usage.system - before.usage.user - before.usage.system) / 1000;
    const passedMs = Math.max(1, now.atMs - before.atMs);
    before = now;
    return { cpu: Math.max(0, usedMs / passedMs), memoryBytes: process.memoryUsage.rss() };
  };
}
