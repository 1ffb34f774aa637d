import type { Cached, CachedKinds, TitleCache } from "../../catalog/title-cache.ts";
import type { RedisConnection } from "./redis-connection.ts";

/** How long something is kept: as long may be seen what a change that nobody could tell, as of an instance that died, left behind. */
const KEPT_MS = 60_000;
/** Longer than anybody takes between reading something and keeping it. */
const GENERATION_MS = 10 * KEPT_MS;

/** The value, or the number of changes that have been heard of. */
const READ = `
local value = redis.call('GET', KEYS[1])
if value then return {value} end
return {'', redis.call('GET', KEYS[2]) or '0'}`;

const KEEP = `
if (redis.call('GET', KEYS[2]) or '0') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;

const DROP = `
redis.call('DEL', KEYS[1])
redis.call('INCR', KEYS[2])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return 1`;

/** The two keys of something: what is kept, and how often it has changed. */
type Keys = readonly [value: string, changes: string];

/**
 * Titles in Redis. Whoever reads one from the database keeps it only if no change was told meanwhile. A change that
 * cannot be told, because Redis is away, is told before anything is read from here again.
 */
export class RedisTitleCache implements TitleCache {
  readonly #redis: RedisConnection;
  /** Changes that could not be told, and when they can be forgotten: nothing is kept for longer. */
  readonly #untold = new Map<string, { readonly keys: Keys; readonly untilMs: number }>();

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  async read<Kind extends keyof CachedKinds>(kind: Kind, id: string): Promise<Cached<CachedKinds[Kind]>> {
    try {
      await this.#tell();
      const keys = this.#keys(kind, id);
      const [value, generation] = (await this.#redis.run(READ, keys, [])) as [string, string?];
      if (value) return { known: true, value: JSON.parse(value) as CachedKinds[Kind] };
      return { known: false, keep: (kept) => this.#keep(keys, kept, generation ?? "0") };
    } catch {
      return { known: false, keep: async () => undefined };
    }
  }

  async drop(kind: keyof CachedKinds, id: string): Promise<void> {
    const keys = this.#keys(kind, id);
    this.#untold.set(keys[0], { keys, untilMs: Date.now() + KEPT_MS });
    await this.#tell().catch(() => undefined);
  }

  async #tell(): Promise<void> {
    for (const [key, change] of this.#untold) {
      if (change.untilMs > Date.now()) await this.#redis.run(DROP, change.keys, [GENERATION_MS]);
      // Changed again meanwhile: that is still to be told.
      if (this.#untold.get(key) === change) this.#untold.delete(key);
    }
  }

  async #keep(keys: Keys, value: unknown, generation: string): Promise<void> {
    await this.#redis.run(KEEP, keys, [generation, JSON.stringify(value), KEPT_MS]).catch(() => undefined);
  }

  /** In braces what decides where a cluster keeps a key: both must lie together. */
  #keys(kind: string, id: string): Keys {
    return [this.#redis.key(kind, `{${id}}`), this.#redis.key(`${kind}-changes`, `{${id}}`)];
  }
}
