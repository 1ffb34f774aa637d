import { dirname } from "node:path";
import { probeWrite } from "../adapters/file/write-probe.ts";
import type { BusConnection } from "../bus/bus.ts";
import { type ServiceName, serviceNames } from "../bus/contract.ts";
import type { Config } from "../config/schema.ts";
import { contracts } from "../contracts.ts";
import type { ReadinessCheck } from "../http/operations.ts";
import type { MountedService } from "../service.ts";
import type { SharedParts } from "./shared-parts.ts";

const NO_ROOM = "There is no room to write, or no right to.";
const AWAY = "It cannot be reached.";
const AWAY_OR_REFUSES = "It cannot be reached, or refuses the password; the log says which.";
const NOBODY = "No instance of it runs.";

/** Whoever has just begun to ask the broker waits so long for its first answer, and looks this often. */
const HEARING_MS = 1_500;
const HEARING_STEP_MS = 20;

/** Whether there is room to write wherever these services keep something, by the settings that name the places. */
export function roomChecks({ data, database, storage }: Config, services: readonly ServiceName[]): ReadinessCheck[] {
  if (!keepsData(services)) return [];
  const stores = services.includes("upload") || services.includes("streaming");
  const file = database.kind === "sqlite" ? { database: dirname(database.path) } : {};
  const media = stores && storage.kind === "file" ? { storage: storage.path } : {};
  const places = { data, ...file, ...media };
  return Object.entries(places)
    .filter(([name, path]) => name === "data" || !`${path}/`.startsWith(`${data}/`))
    .map(([name, path]) => ({ name, reason: NO_ROOM, check: () => probeWrite(path) }));
}

/** Only main keeps nothing on disk. */
export const keepsData = (services: readonly ServiceName[]) => services.some((name) => name !== "main");

/** Whether the servers that these services share with others are there. */
export function sharedChecks(config: Config, services: readonly ServiceName[], shared: SharedParts): ReadinessCheck[] {
  const stores = services.includes("upload") || services.includes("streaming");
  if (!keepsData(services)) return [];
  const { database, redis, store } = shared;
  const own = config.database.kind === "sqlite";
  return [
    ...(own ? [] : [{ name: "database", reason: AWAY, check: async () => (await database()).check() }]),
    ...(redis ? [{ name: "redis", reason: AWAY_OR_REFUSES, check: () => redis.check() }] : []),
    ...(stores && config.storage.kind === "s3"
      ? [{ name: "storage", reason: AWAY, check: async () => (await store()).check() }]
      : []),
  ];
}

/** Whether the broker is there, and somebody who answers for each service that these need and that does not run here. */
export function busChecks(
  connections: readonly BusConnection[],
  services: readonly MountedService[],
): readonly ReadinessCheck[] {
  const here = services.map(({ name }) => name);
  const needs = contracts.filter(({ name }) => here.includes(name)).flatMap(({ calls }) => calls);
  const needed = serviceNames.filter((name) => needs.includes(name) && !here.includes(name));
  const [link] = connections;
  const broker = {
    name: "broker",
    reason: AWAY,
    isOfOthers: true,
    check: async () => void (link && (await requireBroker(link))),
  };
  const others = needed.map((name) => ({
    name,
    reason: NOBODY,
    isOfOthers: true,
    async check() {
      const isKnown = connections.some((connection) => connection.knows(name));
      const isMissed = services.some(({ service }) => service.missing?.().includes(name));
      if (!isKnown || isMissed) throw new Error("nobody was heard of");
    },
  }));
  return [broker, ...others];
}

async function requireBroker(connection: BusConnection): Promise<void> {
  const until = performance.now() + HEARING_MS;
  while (connection.hears() === "unknown" && performance.now() < until) await Bun.sleep(HEARING_STEP_MS);
  if (connection.hears() !== "all") throw new Error(`the broker is away: ${connection.hears()} can be heard`);
}
