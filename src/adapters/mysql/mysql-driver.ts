import type { CompiledQuery, DatabaseConnection, Driver, QueryResult, TransactionSettings } from "kysely";
import type { Pool, PoolConnection, ResultSetHeader } from "mysql2";
import { isAway } from "../../errors.ts";
import { pauseMs } from "../sql/transact.ts";
import { asDatabaseError, isConnectionLost, numberOf, unreachable, wasUndone } from "./mysql-errors.ts";

export interface MysqlTimeouts {
  /** How long a statement may run. */
  readonly statementMs: number;
  /** How long to wait for a free connection. */
  readonly acquireMs: number;
}

/** The server stops a statement that takes too long; when it does not even do that, we stop waiting this much later. */
const HANG_MS = 2_000;
/** A connection that was idle for this long is tried before it is used: the server may have gone meanwhile. */
const IDLE_MS = 1_000;
const PING_MS = 2_000;
const UNDONE_ATTEMPTS = 10;

export interface MysqlDriverOptions {
  /** What every connection begins with. */
  readonly setup: readonly string[];
  readonly timeouts: MysqlTimeouts;
  /** Numbers of errors that are none. */
  readonly ignored?: ReadonlySet<number> | undefined;
  /** Told with each use whether the server is there, and why not. */
  readonly onReachable?: ((isThere: boolean, reason?: string) => void) | undefined;
}

/**
 * Kysely's driver for mysql2. A connection that broke is thrown away and the next one made when it is needed, so that
 * a database that comes back is used again at once; meanwhile `TemporaryUnavailableError`. A statement outside of a
 * transaction that the server undid for the sake of another one is run again; within one it is a
 * `TransactionConflict`, and the whole transaction's to repeat.
 */
export class MysqlDriver implements Driver {
  readonly #pool: Pool;
  readonly #options: MysqlDriverOptions;
  readonly #known = new WeakMap<PoolConnection, MysqlConnection>();

  constructor(pool: Pool, options: MysqlDriverOptions) {
    this.#pool = pool;
    this.#options = options;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<MysqlConnection> {
    const { onReachable } = this.#options;
    try {
      const connection = await this.#acquire();
      onReachable?.(true);
      return connection;
    } catch (error) {
      if (isAway(error)) onReachable?.(false, error.cause instanceof Error ? error.cause.message : error.message);
      throw error;
    }
  }

  async #acquire(): Promise<MysqlConnection> {
    for (;;) {
      const raw = await this.#take();
      const known = this.#known.get(raw);
      const connection = known ?? new MysqlConnection(raw, this.#options);
      if (!known) {
        await connection.prepare(this.#options.setup);
        this.#known.set(raw, connection);
      }
      if (await connection.isThere()) return connection;
      connection.release();
    }
  }

  async beginTransaction(connection: MysqlConnection, { isolationLevel }: TransactionSettings): Promise<void> {
    if (isolationLevel) await connection.run(`set transaction isolation level ${isolationLevel}`);
    await connection.run("begin");
    connection.inTransaction = true;
  }

  async commitTransaction(connection: MysqlConnection): Promise<void> {
    await connection.run("commit");
    connection.inTransaction = false;
  }

  async rollbackTransaction(connection: MysqlConnection): Promise<void> {
    // A connection that broke has nothing left to undo; the caller is to hear why it did.
    if (connection.isBroken) return;
    await connection.run("rollback");
    connection.inTransaction = false;
  }

  async releaseConnection(connection: MysqlConnection): Promise<void> {
    connection.release();
  }

  async destroy(): Promise<void> {
    await new Promise<void>((resolve) => this.#pool.end(() => resolve()));
  }

  #take(): Promise<PoolConnection> {
    const taken = Promise.withResolvers<PoolConnection>();
    const { acquireMs } = this.#options.timeouts;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      taken.reject(unreachable(new Error(`no free connection within ${acquireMs} ms`)));
    }, acquireMs);
    this.#pool.getConnection((error, connection) => {
      clearTimeout(timer);
      if (late) connection?.release();
      else if (error) taken.reject(asDatabaseError(error, false));
      else taken.resolve(connection);
    });
    return taken.promise;
  }
}

export class MysqlConnection implements DatabaseConnection {
  readonly #raw: PoolConnection;
  readonly #timeoutMs: number;
  readonly #ignored: ReadonlySet<number>;
  #usedAt = performance.now();
  isBroken = false;
  inTransaction = false;

  constructor(raw: PoolConnection, { timeouts, ignored }: MysqlDriverOptions) {
    this.#raw = raw;
    this.#timeoutMs = timeouts.statementMs + HANG_MS;
    this.#ignored = ignored ?? new Set();
  }

  /** Sets the session up; closes the connection when that does not work. */
  async prepare(setup: readonly string[]): Promise<void> {
    try {
      for (const statement of setup) await this.run(statement);
    } catch (error) {
      this.isBroken = true;
      this.release();
      throw error;
    }
  }

  /** Whether the server is still at the other end; asked when it was idle. */
  async isThere(): Promise<boolean> {
    if (performance.now() - this.#usedAt < IDLE_MS) return true;
    try {
      await this.#send("do 0", [], PING_MS);
      return true;
    } catch {
      this.isBroken = true;
      return false;
    }
  }

  async run(sql: string): Promise<void> {
    try {
      await this.#send(sql, [], this.#timeoutMs);
    } catch (error) {
      throw asDatabaseError(error, this.inTransaction);
    }
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    for (let failures = 0; ; ) {
      try {
        return resultOf<Row>(await this.#send(sql, parameters, this.#timeoutMs));
      } catch (error) {
        if (this.#ignored.has(numberOf(error) ?? 0)) return { rows: [] };
        if (this.inTransaction || !wasUndone(error) || ++failures >= UNDONE_ATTEMPTS)
          throw asDatabaseError(error, this.inTransaction);
        await Bun.sleep(pauseMs(failures));
      }
    }
  }

  async *streamQuery<Row>(query: CompiledQuery): AsyncGenerator<QueryResult<Row>> {
    yield await this.executeQuery<Row>(query);
  }

  /** Gives it back to the pool, unless it broke or is still within a transaction: then it is closed. */
  release(): void {
    this.#usedAt = performance.now();
    if (this.isBroken || this.inTransaction) this.#raw.destroy();
    else this.#raw.release();
  }

  #send(sql: string, values: readonly unknown[], timeout: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#raw.query({ sql, values: [...values], timeout }, (error, result) => {
        if (!error) return resolve(result);
        if (isConnectionLost(error)) this.isBroken = true;
        reject(error);
      });
    });
  }
}

function resultOf<Row>(result: unknown): QueryResult<Row> {
  if (Array.isArray(result)) return { rows: result as Row[] };
  const { affectedRows, changedRows, insertId } = result as ResultSetHeader;
  return {
    rows: [],
    numAffectedRows: BigInt(affectedRows ?? 0),
    numChangedRows: BigInt(changedRows ?? 0),
    ...(insertId ? { insertId: BigInt(insertId) } : {}),
  };
}
