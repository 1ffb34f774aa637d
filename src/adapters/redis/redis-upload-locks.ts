import type { LockHolder, UploadLock, UploadLocks } from "../../upload/upload-locks.ts";
import type { RedisConnection } from "./redis-connection.ts";

export interface LockTimes {
  /** A lock that is not renewed, because its instance died or hangs, is free after this. */
  readonly heldMs: number;
  readonly renewMs: number;
  /** A sender that was silent for this long gives way. */
  readonly silentMs: number;
}

/** Short, so that an upload goes on within a second: who wrongly loses a lock loses no byte, and what it still writes counts for nothing. */
const TIMES: LockTimes = { heldMs: 600, renewMs: 150, silentMs: 2_000 };
/** How long a holder that lives may take to end what it was told to stop. */
const STOP_MS = 8_000;
const POLL_MS = 25;

/** Taking twice is taking once: the connection may have broken before the first answer came. */
const TAKE = `
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'silent', '0', 'beat', '0')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`;

/** What nobody has meanwhile goes back to who had it: Redis has forgotten everything, or the renewal came late. */
const RENEW = `
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= ARGV[1] then return 'lost' end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'silent', ARGV[3])
redis.call('HINCRBY', KEYS[1], 'beat', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local asked = redis.call('HGET', KEYS[1], 'asked')
redis.call('HDEL', KEYS[1], 'asked')
return asked or ''`;

const RELEASE = `
if redis.call('HGET', KEYS[1], 'owner') == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`;

/** Who has it, how long its sender has been silent, and a number that grows with each renewal; nothing when nobody has it. */
const ASK = `
local held = redis.call('HMGET', KEYS[1], 'owner', 'silent', 'beat')
if not held[1] then return {} end
if ARGV[1] == 'stop' or tonumber(held[2]) >= tonumber(ARGV[2]) then redis.call('HSET', KEYS[1], 'asked', ARGV[1]) end
return held`;

/** A lock that somebody has. */
interface Held {
  readonly sign: string;
  readonly silentMs: number;
}

/** Locks that all instances see. Their holder renews them; who did not in time learns with the next renewal whether it is another's. */
export class RedisUploadLocks implements UploadLocks {
  readonly decides = true;
  readonly #redis: RedisConnection;
  readonly #times: LockTimes;

  constructor(redis: RedisConnection, times: LockTimes = TIMES) {
    this.#redis = redis;
    this.#times = times;
  }

  async take(id: string, holder: LockHolder): Promise<UploadLock | null> {
    const owner = Bun.randomUUIDv7();
    const taken = await this.#redis.run(TAKE, [this.#key(id)], [owner, this.#times.heldMs]);
    return Number(taken) === 1 ? this.#hold(id, owner, holder) : null;
  }

  async ask(id: string, kind: "yield" | "stop"): Promise<boolean> {
    const { silentMs, heldMs, renewMs } = this.#times;
    const first = await this.#ask(id, kind);
    if (first === null) return true;
    let isAlive = false;
    let giveUpAt = performance.now() + 2 * heldMs;
    while (performance.now() < giveUpAt) {
      await Bun.sleep(POLL_MS);
      const now = await this.#ask(id, kind);
      if (now === null) return true;
      if (isAlive || now.sign === first.sign) continue;
      // It has just been renewed.
      if (kind === "yield" && now.silentMs < silentMs) return false;
      isAlive = true;
      giveUpAt = performance.now() + (kind === "stop" ? STOP_MS : 4 * renewMs);
    }
    return false;
  }

  async isHeld(id: string): Promise<boolean> {
    return Number(await this.#redis.send("EXISTS", this.#key(id))) === 1;
  }

  async #ask(id: string, kind: "yield" | "stop"): Promise<Held | null> {
    const held = await this.#redis.run(ASK, [this.#key(id)], [kind, this.#times.silentMs]);
    if (!Array.isArray(held) || held.length < 3) return null;
    return { sign: `${held[0]} ${held[2]}`, silentMs: Number(held[1]) };
  }

  #hold(id: string, owner: string, holder: LockHolder): UploadLock {
    const { heldMs, renewMs } = this.#times;
    let timer: Timer | null = null;
    const renew = async () => {
      const args = [owner, heldMs, Math.round(holder.silentMs())];
      // While Redis is away nobody else can take it.
      const answer = await this.#redis.run(RENEW, [this.#key(id)], args).catch(() => "");
      if (timer === null) return;
      if (answer === "lost") {
        timer = null;
        holder.onLost();
        return;
      }
      if (answer === "stop" || answer === "yield") holder.onAsked(answer);
      timer = setTimeout(renew, renewMs);
    };
    timer = setTimeout(renew, renewMs);
    return {
      release: async () => {
        if (timer) clearTimeout(timer);
        timer = null;
        await this.#redis.run(RELEASE, [this.#key(id)], [owner]).catch(() => undefined);
      },
    };
  }

  #key(id: string): string {
    return this.#redis.key("upload-lock", id);
  }
}
