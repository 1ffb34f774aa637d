import { createHash } from "node:crypto";
import { z } from "zod";
import type { SessionCache } from "../../auth/session-cache.ts";
import type { RedisConnection } from "./redis-connection.ts";

/** Where better-auth keeps the list of a user's sessions. */
const LIST = "active-sessions-";

const INCREMENT = `
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count`;

/** What begins a token that is told by its hash: no token of better-auth's does. */
const HASHED = "#";

/**
 * Sessions in Redis. A key is stored by its hash, and a session without its token, which who asks for it has: a copy of Redis
 * opens no session. In a user's list of sessions each is told by its hash, which is taken here for the token.
 */
export class RedisSessions implements SessionCache {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  async get(key: string): Promise<string | null> {
    const found = await this.#redis.send("GET", this.#key(key)).catch(() => null);
    return typeof found === "string" ? withToken(key, found) : null;
  }

  async set(key: string, value: string, ttlSeconds?: number): Promise<void> {
    const expiry = ttlSeconds ? ["EX", Math.max(1, Math.floor(ttlSeconds))] : [];
    await this.#redis.send("SET", this.#key(key), withoutTokens(key, value), ...expiry).catch(() => undefined);
  }

  async delete(key: string): Promise<void> {
    await this.#redis.send("DEL", this.#key(key)).catch(() => undefined);
  }

  async getAndDelete(key: string): Promise<string | null> {
    const found = await this.#redis.send("GETDEL", this.#key(key)).catch(() => null);
    return typeof found === "string" ? withToken(key, found) : null;
  }

  async increment(key: string, ttlSeconds: number): Promise<number> {
    const args = [this.#key(key), ttlSeconds * 1000] as const;
    return Number(await this.#redis.run(INCREMENT, [args[0]], [args[1]]));
  }

  async forgetUser(userId: string): Promise<void> {
    const listed = listSchema.safeParse(parsed((await this.get(LIST + userId)) ?? "[]"));
    const tokens = listed.success ? listed.data.map(({ token }) => token) : [];
    for (const key of [...tokens, LIST + userId]) await this.delete(key);
  }

  #key(key: string): string {
    return this.#redis.key("session", hashOf(key));
  }
}

const listSchema = z.array(z.looseObject({ token: z.string() }));
const sessionSchema = z.looseObject({ session: z.looseObject({ token: z.string().optional() }) });

const hashOf = (key: string) =>
  key.startsWith(HASHED) ? key.slice(HASHED.length) : createHash("sha256").update(key).digest("base64url");

/** A value as it is stored. */
function withoutTokens(key: string, value: string): string {
  const list = key.startsWith(LIST) ? listSchema.safeParse(parsed(value)) : null;
  if (list?.success) {
    // better-auth, which knows a session by its token, may have added one that is there by its hash: the later counts.
    const byHash = new Map(list.data.map((entry) => [hashOf(entry.token), entry]));
    return JSON.stringify([...byHash].map(([hash, entry]) => ({ ...entry, token: HASHED + hash })));
  }
  const found = sessionSchema.safeParse(parsed(value));
  if (!found.success) return value;
  const { token: _token, ...session } = found.data.session;
  return JSON.stringify({ ...found.data, session });
}

/** A stored value as better-auth wrote it. */
function withToken(key: string, value: string): string {
  const found = sessionSchema.safeParse(parsed(value));
  return found.success ? JSON.stringify({ ...found.data, session: { ...found.data.session, token: key } }) : value;
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return null;
  }
}
