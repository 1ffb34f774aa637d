import { RedisClient } from "bun";
import { StartError, TemporaryUnavailableError } from "../../errors.ts";
import { refusalOf } from "./redis-refusal.ts";

/** Where a Redis or Valkey server is and how it is used, as the configuration says it. */
export interface RedisAccess {
  /** `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS. */
  readonly url: string;
  /** What every key begins with. */
  readonly prefix: string;
}

/** A command takes no longer: whoever waits is told that Redis is away. */
const COMMAND_MS = 1_000;
const CONNECT_MS = 1_000;
/** After a failure nobody waits for a while: they are told at once. */
const AGAIN_MS = 250;
/** So often a connection is used at least: what lies between may drop one that is silent, as Redis itself may (`timeout`). */
const ALIVE_MS = 15_000;

/** The start of a script that Redis runs as one step; it is loaded once and called by its hash. */
export type Script = string;

/**
 * A connection to Redis or Valkey that comes back by itself: one that broke or does not answer is thrown away, and the
 * next command makes another. A command whose connection turns out to have been closed is sent once more, on a new one: it may run
 * twice, which every command given here must bear. While Redis is away every command is a `TemporaryUnavailableError`, at once
 * or after a second; none is kept to be sent later.
 */
export class RedisConnection {
  readonly #access: RedisAccess;
  readonly #onReachable: (isThere: boolean, reason?: string) => void;
  #client: Promise<RedisClient> | null = null;
  #failedAt = Number.NEGATIVE_INFINITY;
  #failure: unknown;
  #closed = false;
  readonly #timer: Timer;

  /** `onReachable` is told after each command whether Redis was there, and why not. */
  constructor(access: RedisAccess, onReachable: (isThere: boolean, reason?: string) => void = () => undefined) {
    this.#access = access;
    this.#onReachable = onReachable;
    this.#timer = setInterval(() => {
      if (this.#client) void this.check().catch(() => undefined);
    }, ALIVE_MS);
    this.#timer.unref();
  }

  /** A key with our prefix. */
  key(...parts: readonly string[]): string {
    return this.#access.prefix + parts.join(":");
  }

  /** Runs a command. Keys must have been made with `key`. */
  async send(command: string, ...args: readonly (string | number)[]): Promise<unknown> {
    if (this.#closed || performance.now() - this.#failedAt < AGAIN_MS) throw unreachable(this.#failure);
    const known = this.#client;
    let connecting = this.#connected();
    try {
      const answer = await sendOn(connecting, command, args).catch((error: unknown) => {
        if (connecting !== known || !isClosed(error)) throw error;
        this.#forget(connecting);
        connecting = this.#connected();
        return sendOn(connecting, command, args);
      });
      this.#onReachable(true);
      return answer;
    } catch (error) {
      if (isAnswer(error)) throw error;
      if (!this.#closed) this.#onReachable(false, error instanceof Error ? error.message : String(error));
      this.#failure = error;
      this.#drop(connecting);
      throw unreachable(error);
    }
  }

  /** Runs a script in one step. */
  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return this.send("EVAL", script, keys.length, ...keys, ...args);
  }

  /** Rejects when it cannot be used right now; with what Redis says where it does not let us in. */
  async check(): Promise<void> {
    await this.send("PING").catch((error: unknown) => {
      const cause = error instanceof TemporaryUnavailableError ? error.cause : null;
      throw cause instanceof RedisRefusal ? cause : error;
    });
  }

  /** `StartError` when Redis is there and lets us not in. One that is away is no error: it is waited for. */
  async tryOut(): Promise<void> {
    const error = await this.check().catch((error: unknown) => error);
    if (!(error instanceof RedisRefusal)) return;
    const hint = "Correct `redis` (KINORA_REDIS): redis://[user:password@]host[:port][/database].";
    throw new StartError(error.message, hint, { cause: error });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    const client = await this.#client?.catch(() => null);
    this.#client = null;
    client?.close();
  }

  async #connect(): Promise<RedisClient> {
    const client = new RedisClient(this.#access.url, {
      connectionTimeout: CONNECT_MS,
      autoReconnect: false,
      enableOfflineQueue: false,
    });
    try {
      await within(CONNECT_MS, client.connect());
      return client;
    } catch (error) {
      client.close();
      // The client does not tell what Redis said.
      const refusal = await within(CONNECT_MS, refusalOf(this.#access.url)).catch(() => null);
      throw refusal === null ? new Error("no connection", { cause: error }) : new RedisRefusal(refusal);
    }
  }

  #connected(): Promise<RedisClient> {
    if (this.#client) return this.#client;
    const connecting = this.#connect();
    this.#client = connecting;
    void connecting.then(
      (client) => {
        client.onclose = () => this.#forget(connecting);
      },
      () => undefined,
    );
    return connecting;
  }

  /** It is of no use any more; the next command makes another at once. */
  #forget(connecting: Promise<RedisClient>): void {
    if (this.#client === connecting) this.#client = null;
  }

  #drop(connecting: Promise<RedisClient>): void {
    if (this.#client !== connecting) return;
    this.#client = null;
    this.#failedAt = performance.now();
    void connecting.then(
      (client) => client.close(),
      () => undefined,
    );
  }
}

async function sendOn(
  connecting: Promise<RedisClient>,
  command: string,
  args: readonly (string | number)[],
): Promise<unknown> {
  const client = await connecting;
  return within(COMMAND_MS, client.send(command, args.map(String)));
}

/** Redis is there and does not let us in. */
class RedisRefusal extends Error {
  constructor(said: string) {
    const why = /^(WRONGPASS|NOAUTH|NOPERM|ERR)\b/.test(said) ? " the user or the password" : "";
    super(`Redis refuses${why || " us"}: ${said}`);
    this.name = "RedisRefusal";
  }
}

/** Whether the connection was closed, not whether the command was carried out before. */
const isClosed = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ERR_REDIS_CONNECTION_CLOSED";

const unreachable = (cause?: unknown) =>
  new TemporaryUnavailableError("Redis cannot be reached right now. Try again in a moment.", { cause });

/** Whether Redis has answered that something is wrong with the command; a server that is starting is away. */
const isAnswer = (error: unknown): boolean =>
  error instanceof Error && /^(ERR|WRONGTYPE|NOAUTH|NOPERM|WRONGPASS)\b/.test(error.message);

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${ms} ms`)), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
