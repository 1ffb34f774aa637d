import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RedisClient } from "bun";
import { lazy } from "../../src/lazy.ts";
import { type BoundServer, startBound } from "./bound-server.ts";
import { freePort } from "./nats.ts";
import { until } from "./until.ts";

/** A real redis-server on a free loopback port, its append-only file in a temporary folder. */
export interface TestRedis {
  readonly url: string;
  readonly pid: () => number;
  /** Runs a command. */
  send(command: string, ...args: string[]): Promise<unknown>;
  /** kill -9. */
  kill(): Promise<void>;
  /** Starts it again where it was, with its data. */
  start(): Promise<void>;
  /** Stops it and removes its folder. */
  close(): Promise<void>;
}

/** A server of its own, for a test that kills it. */
export async function startRedis(host = "127.0.0.1"): Promise<TestRedis> {
  const folder = mkdtempSync(join(tmpdir(), "kinora-redis-"));
  const port = await freePort();
  const url = `redis://${host}:${port}`;
  let child: BoundServer | null = null;
  const send = async (command: string, ...args: string[]) => {
    const client = new RedisClient(url, { autoReconnect: false, connectionTimeout: 1_000 });
    try {
      await client.connect();
      return (await client.send(command, args)) as unknown;
    } finally {
      client.close();
    }
  };
  const kill = async () => {
    await child?.kill();
    child = null;
  };
  const start = async () => {
    const options = ["--port", String(port), "--bind", host, "--protected-mode", "no", "--dir", folder];
    const kept = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""];
    child = await startBound(folder, ["redis-server", ...options, ...kept]);
    await until(() => send("PING").catch(() => null), 30_000);
  };
  await start();
  return {
    url,
    pid: () => child?.pid ?? 0,
    send,
    kill,
    start,
    async close() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The server that all suites of this process share; it ends with the process. Use a prefix of your own. */
export const sharedRedis = lazy(() => startRedis());
