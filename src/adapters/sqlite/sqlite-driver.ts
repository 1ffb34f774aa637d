import type { Database as BunDatabase, SQLQueryBindings } from "bun:sqlite";
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  type TransactionSettings,
} from "kysely";
import { StorageFullError, TemporaryUnavailableError } from "../../errors.ts";

/** A transaction that takes longer lets everything else have a turn, again and again. */
const TURN_MS = 5;
/** A statement gives up after the database was locked for this long by another process. */
const PATIENCE_MS = 3_000;
const LONGEST_PAUSE_MS = 50;

/**
 * Kysely's driver for bun:sqlite. Statements run at once and in this thread, so waiting for another process's lock
 * must not happen inside SQLite: one that finds the database locked is tried again after a pause, during which
 * everything else goes on, reading included. `TemporaryUnavailableError` when the lock stays, `StorageFullError` when
 * the disk is full; nothing is changed then.
 *
 * All connections share one handle. A statement outside of a transaction waits while one is open, as it would
 * otherwise become part of it; but a query runs on the second handle then, where it sees what was there before. A long
 * transaction stops now and then, so that queries come in between. Transactions that may write take the lock at their
 * beginning: halfway they could find that somebody else has written, and could only fail.
 */
export class PatientSqliteDriver implements Driver {
  readonly #handle: BunDatabase;
  readonly #reader: BunDatabase | null;
  readonly #turn = new Turn();

  /** `reader` is the same file once more; null where there is none (in memory). */
  constructor(handle: BunDatabase, reader: BunDatabase | null) {
    this.#handle = handle;
    this.#reader = reader;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<SqliteConnection> {
    return new SqliteConnection(this.#handle, this.#reader, this.#turn);
  }

  async beginTransaction(connection: SqliteConnection, { accessMode }: TransactionSettings): Promise<void> {
    await connection.begin(accessMode === "read only" ? "begin" : "begin immediate");
  }

  async commitTransaction(connection: SqliteConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("commit"));
    connection.release();
  }

  async rollbackTransaction(connection: SqliteConnection): Promise<void> {
    // A full disk, for one, has SQLite undo the transaction by itself.
    if (this.#handle.inTransaction) await connection.executeQuery(CompiledQuery.raw("rollback"));
    connection.release();
  }

  async releaseConnection(connection: SqliteConnection): Promise<void> {
    connection.release();
  }

  async destroy(): Promise<void> {
    this.#reader?.close();
    this.#handle.close();
  }
}

/** Whose turn it is to use the handle: everybody's, or a transaction's alone. */
class Turn {
  #taken: { readonly by: SqliteConnection; readonly over: PromiseWithResolvers<void> } | null = null;

  /** Resolves at the end of the transaction that somebody else has open; null when there is none. */
  othersEnd(connection: SqliteConnection): Promise<void> | null {
    return this.#taken && this.#taken.by !== connection ? this.#taken.over.promise : null;
  }

  take(connection: SqliteConnection): void {
    this.#taken = { by: connection, over: Promise.withResolvers() };
  }

  release(connection: SqliteConnection): void {
    if (this.#taken?.by !== connection) return;
    const { over } = this.#taken;
    this.#taken = null;
    over.resolve();
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #handle: BunDatabase;
  readonly #reader: BunDatabase | null;
  readonly #turn: Turn;
  /** Since when nothing else had a turn; null outside of a transaction. */
  #since: number | null = null;

  constructor(handle: BunDatabase, reader: BunDatabase | null, turn: Turn) {
    this.#handle = handle;
    this.#reader = reader;
    this.#turn = turn;
  }

  async begin(sql: string): Promise<void> {
    await this.#patiently(() => {
      this.#handle.run(sql);
      this.#turn.take(this);
    });
    this.#since = performance.now();
  }

  release(): void {
    this.#since = null;
    this.#turn.release(this);
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    if (this.#since !== null && performance.now() - this.#since > TURN_MS) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#since = performance.now();
    }
    const isBetween = this.#reader !== null && isRead(query.sql) && this.#turn.othersEnd(this) !== null;
    const handle = isBetween && this.#reader ? this.#reader : this.#handle;
    return this.#patiently(() => run<Row>(handle, query), handle);
  }

  async *streamQuery<Row>(query: CompiledQuery): AsyncGenerator<QueryResult<Row>> {
    yield await this.executeQuery<Row>(query);
  }

  async #patiently<Result>(run: () => Result, handle = this.#handle): Promise<Result> {
    let giveUpAt = 0;
    for (let pauseMs = 2; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      // Asked again after each wait, and not awaited without need: another one may take the turn in between.
      if (handle === this.#handle)
        for (let end = this.#turn.othersEnd(this); end; end = this.#turn.othersEnd(this)) await end;
      try {
        return run();
      } catch (error) {
        if (!isBusy(error)) throw codeOf(error) === "SQLITE_FULL" ? new StorageFullError(error) : error;
        giveUpAt ||= performance.now() + PATIENCE_MS;
        if (performance.now() >= giveUpAt) throw lockedError(error);
        await Bun.sleep(pauseMs);
      }
    }
  }
}

function run<Row>(handle: BunDatabase, { sql, parameters }: CompiledQuery): QueryResult<Row> {
  const statement = handle.query<Row, SQLQueryBindings[]>(sql);
  const bindings = parameters.map(bindingOf);
  if (statement.columnNames.length > 0) return { rows: statement.all(...bindings) };
  const { changes, lastInsertRowid } = statement.run(...bindings);
  return { numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid), rows: [] };
}

const isRead = (sql: string) => /^\s*select\b/i.test(sql);

/** A moment is ISO 8601 text, as better-auth writes it. */
const bindingOf = (value: unknown) => (value instanceof Date ? value.toISOString() : value) as SQLQueryBindings;

const codeOf = (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : "");
const isBusy = (error: unknown) => codeOf(error).startsWith("SQLITE_BUSY");

const lockedError = (cause: unknown) =>
  new TemporaryUnavailableError("Another program keeps the database locked. Try again in a moment.", { cause });
