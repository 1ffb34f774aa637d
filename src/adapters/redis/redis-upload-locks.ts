import type { LockHolder, UploadLock, UploadLocks } from "../../upload/upload-locks.ts";
import type { RedisConnection } from "./redis-connection.ts";

export interface LockTimes {
  /** A lock that is not renewed, because its instance died, is free after this. */
  readonly heldMs: number;
  readonly renewMs: number;
  /** A sender that was silent for this long gives way. */
  readonly silentMs: number;
}

const TIMES: LockTimes = { heldMs: 8_000, renewMs: 500, silentMs: 2_000 };
const POLL_MS = 50;

const TAKE = `
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'silent', '0')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`;

/** A Redis that has forgotten everything gets the lock back from whoever comes first. */
const RENEW = `
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= ARGV[1] then return 'lost' end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'silent', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local asked = redis.call('HGET', KEYS[1], 'asked')
redis.call('HDEL', KEYS[1], 'asked')
return asked or ''`;

const RELEASE = `
if redis.call('HGET', KEYS[1], 'owner') == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`;

/** How long the holder's sender has been silent; -1 when there is no holder. */
const ASK = `
local silent = redis.call('HGET', KEYS[1], 'silent')
if not silent then return -1 end
if ARGV[1] == 'stop' or tonumber(silent) >= tonumber(ARGV[2]) then redis.call('HSET', KEYS[1], 'asked', ARGV[1]) end
return tonumber(silent)`;

/** Locks that all instances see. Their holder renews them; who cannot for too long lets go before others may take over. */
export class RedisUploadLocks implements UploadLocks {
  readonly #redis: RedisConnection;
  readonly #times: LockTimes;

  constructor(redis: RedisConnection, times: LockTimes = TIMES) {
    this.#redis = redis;
    this.#times = times;
  }

  async take(id: string, holder: LockHolder): Promise<UploadLock | null> {
    const owner = Bun.randomUUIDv7();
    const sentAt = performance.now();
    const taken = await this.#redis.run(TAKE, [this.#key(id)], [owner, this.#times.heldMs]);
    return Number(taken) === 1 ? this.#hold(id, owner, holder, sentAt) : null;
  }

  async ask(id: string, kind: "yield" | "stop"): Promise<boolean> {
    const { silentMs, heldMs, renewMs } = this.#times;
    const silent = Number(await this.#redis.run(ASK, [this.#key(id)], [kind, silentMs]));
    if (silent < 0) return true;
    if (kind === "yield" && silent < silentMs) return false;
    const giveUpAt = performance.now() + (kind === "stop" ? heldMs + renewMs : 4 * renewMs);
    while (performance.now() < giveUpAt) {
      await Bun.sleep(POLL_MS);
      if (!(await this.isHeld(id))) return true;
    }
    return false;
  }

  async isHeld(id: string): Promise<boolean> {
    return Number(await this.#redis.send("EXISTS", this.#key(id))) === 1;
  }

  #hold(id: string, owner: string, holder: LockHolder, takenAt: number): UploadLock {
    const { heldMs, renewMs } = this.#times;
    let renewedAt = takenAt;
    let timer: Timer | null = null;
    const lose = () => {
      timer = null;
      holder.onLost();
    };
    const renew = async () => {
      const sentAt = performance.now();
      try {
        const args = [owner, heldMs, Math.round(holder.silentMs())];
        const answer = String(await this.#redis.run(RENEW, [this.#key(id)], args));
        if (timer === null) return;
        if (answer === "lost") return lose();
        renewedAt = sentAt;
        if (answer === "stop" || answer === "yield") holder.onAsked(answer);
      } catch {
        // Two renewals before others could take it.
        if (timer !== null && performance.now() - renewedAt > heldMs - 2 * renewMs - 2_000) return lose();
      }
      if (timer !== null) timer = setTimeout(renew, renewMs);
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
