import type { Revocation } from "../../auth/contract.ts";
import type { PutUp, RevocationBoard } from "../../auth/revocation-board.ts";
import type { RedisConnection } from "./redis-connection.ts";

/** As long as any credential counts by itself. */
const KEPT_MS = 13 * 3_600_000;

/** Redis' own clock: those of the instances differ. Two of one microsecond are told apart by what they say. */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]`;

const PUT = `${NOW}
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[i]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - ARGV[1] * 1000))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1`;

/** From a moment on, or from so many milliseconds ago; a moment may be read twice. */
const READ = `${NOW}
local from = ARGV[1]
if from == '' then from = string.format('%.0f', now - ARGV[2] * 1000) end
return {string.format('%.0f', now), redis.call('ZRANGEBYSCORE', KEYS[1], from, '+inf')}`;

/** The board in Redis: a sorted set, by when each was put up. */
export class RedisRevocations implements RevocationBoard {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  async put(revocations: readonly Revocation[]): Promise<void> {
    if (revocations.length === 0) return;
    await this.#redis.run(PUT, [this.#key], [KEPT_MS, ...revocations.map((one) => JSON.stringify(one))]);
  }

  ofLast(ms: number): Promise<PutUp> {
    return this.#read("", Math.ceil(ms));
  }

  since(next: string): Promise<PutUp> {
    return this.#read(next, 0);
  }

  get #key(): string {
    return this.#redis.key("revocations");
  }

  async #read(from: string, ms: number): Promise<PutUp> {
    const [next, members] = (await this.#redis.run(READ, [this.#key], [from, ms])) as [string, string[]];
    return { next, revocations: members.map((text) => JSON.parse(text) as Revocation) };
  }
}
