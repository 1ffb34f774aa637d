import { RedisClient } from "bun";
import { TemporaryUnavailableError } from "../../errors.ts";

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

/** The start of a script that Redis runs as one step; it is loaded once and called by its hash. */
export type Script = string;

/**
 * A connection to Redis or Valkey that comes back by itself: one that broke or does not answer is thrown away, and the
 * next command makes another. Meanwhile every command is a `TemporaryUnavailableError`, at once or after a second; none is
 * kept to be sent later.
 */
export class RedisConnection {
  readonly #access: RedisAccess;
  readonly #onReachable: (isThere: boolean, reason?: string) => void;
  #client: Promise<RedisClient> | null = null;
  #failedAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  /** `onReachable` is told after each command whether Redis was there, and why not. */
  constructor(access: RedisAccess, onReachable: (isThere: boolean, reason?: string) => void = () => undefined) {
    this.#access = access;
    this.#onReachable = onReachable;
  }

  /** A key with our prefix. */
  key(...parts: readonly string[]): string {
    return this.#access.prefix + parts.join(":");
  }

  /** Runs a command. Keys must have been made with `key`. */
  async send(command: string, ...args: readonly (string | number)[]): Promise<unknown> {
    if (this.#closed || performance.now() - this.#failedAt < AGAIN_MS) throw unreachable();
    this.#client ??= this.#connect();
    const connecting = this.#client;
    try {
      const client = await connecting;
      const answer: unknown = await within(COMMAND_MS, client.send(command, args.map(String)));
      this.#onReachable(true);
      return answer;
    } catch (error) {
      if (isAnswer(error)) throw error;
      if (!this.#closed) this.#onReachable(false, error instanceof Error ? error.message : String(error));
      this.#drop(connecting);
      throw unreachable(error);
    }
  }

  /** Runs a script in one step. */
  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return this.send("EVAL", script, keys.length, ...keys, ...args);
  }

  /** Rejects when it cannot be used right now. */
  async check(): Promise<void> {
    await this.send("PING");
  }

  async close(): Promise<void> {
    this.#closed = true;
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
      throw error;
    }
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
