import { createHash } from "node:crypto";
import type { SessionCache } from "../../auth/session-cache.ts";
import type { RedisConnection } from "./redis-connection.ts";

/** Where better-auth keeps the list of a user's sessions. */
const LIST = "active-sessions-";

const INCREMENT = `
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count`;

/** Sessions in Redis. A key is stored by its hash, so that a copy of Redis opens no session. */
export class RedisSessions implements SessionCache {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  async get(key: string): Promise<string | null> {
    const found = await this.#redis.send("GET", this.#key(key)).catch(() => null);
    return typeof found === "string" ? found : null;
  }

  async set(key: string, value: string, ttlSeconds?: number): Promise<void> {
    const expiry = ttlSeconds ? ["EX", Math.max(1, Math.floor(ttlSeconds))] : [];
    await this.#redis.send("SET", this.#key(key), value, ...expiry).catch(() => undefined);
  }

  async delete(key: string): Promise<void> {
    await this.#redis.send("DEL", this.#key(key)).catch(() => undefined);
  }

  async getAndDelete(key: string): Promise<string | null> {
    const found = await this.#redis.send("GETDEL", this.#key(key)).catch(() => null);
    return typeof found === "string" ? found : null;
  }

  async increment(key: string, ttlSeconds: number): Promise<number> {
    const args = [this.#key(key), ttlSeconds * 1000] as const;
    return Number(await this.#redis.run(INCREMENT, [args[0]], [args[1]]));
  }

  async forgetUser(userId: string): Promise<void> {
    const listed: unknown = JSON.parse((await this.get(LIST + userId)) ?? "[]");
    const tokens = Array.isArray(listed)
      ? listed.flatMap(({ token }) => (typeof token === "string" ? [token] : []))
      : [];
    for (const key of [...tokens, LIST + userId]) await this.delete(key);
  }

  #key(key: string): string {
    return this.#redis.key("session", createHash("sha256").update(key).digest("base64url"));
  }
}
