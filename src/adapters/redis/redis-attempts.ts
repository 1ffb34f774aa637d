import type { AttemptStore } from "../../auth/attempt-limits.ts";
import type { RedisConnection } from "./redis-connection.ts";

const ADD = `
local count = redis.call('INCRBY', KEYS[1], ARGV[1])
if count < 0 then
  redis.call('INCRBY', KEYS[1], -count)
  count = 0
end
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  left = tonumber(ARGV[2])
  redis.call('PEXPIRE', KEYS[1], left)
end
return {count, left}`;

/** Counters that all instances share and that outlive them. While Redis is away nobody can be counted, nor let in. */
export class RedisAttempts implements AttemptStore {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  async add(key: string, amount: number, windowMs: number) {
    const [count, resetsInMs] = (await this.#redis.run(ADD, [this.#key(key)], [amount, windowMs])) as [number, number];
    return { count: Number(count), resetsInMs: Number(resetsInMs) };
  }

  async count(key: string): Promise<number> {
    return Number((await this.#redis.send("GET", this.#key(key))) ?? 0);
  }

  async clear(key: string): Promise<void> {
    await this.#redis.send("DEL", this.#key(key));
  }

  #key(key: string): string {
    return this.#redis.key("attempts", key);
  }
}
