import { dirname } from "node:path";
import { probeWrite } from "../adapters/file/write-probe.ts";
import type { ServiceName } from "../bus/contract.ts";
import type { Config } from "../config/schema.ts";
import type { ReadinessCheck } from "../http/operations.ts";
import type { SharedParts } from "./shared-parts.ts";

/** Whether there is room to write wherever these services keep something, by the settings that name the places. */
export function roomChecks({ data, database, storage }: Config, services: readonly ServiceName[]): ReadinessCheck[] {
  if (!keepsData(services)) return [];
  const stores = services.includes("upload") || services.includes("streaming");
  const file = database.kind === "sqlite" ? { database: dirname(database.path) } : {};
  const media = stores && storage.kind === "file" ? { storage: storage.path } : {};
  const places = { data, ...file, ...media };
  return Object.entries(places)
    .filter(([name, path]) => name === "data" || !`${path}/`.startsWith(`${data}/`))
    .map(([name, path]) => ({ name, check: () => probeWrite(path) }));
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
    ...(own ? [] : [{ name: "database", check: async () => (await database()).check() }]),
    ...(redis ? [{ name: "redis", check: () => redis.check() }] : []),
    ...(stores && config.storage.kind === "s3"
      ? [{ name: "storage", check: async () => (await store()).check() }]
      : []),
  ];
}
