import type { Database as BunDatabase, SQLQueryBindings } from "bun:sqlite";
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  type TransactionSettings,
} from "kysely";
import { StorageFullError, TemporaryUnavailableError } from "../../errors.ts";

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
 * otherwise become part of it. Transactions that may write take the lock at their beginning: halfway they could
 * find that somebody else has written, and could only fail.
 */
export class PatientSqliteDriver implements Driver {
  readonly #handle: BunDatabase;
  readonly #turn = new Turn();

  constructor(handle: BunDatabase) {
    this.#handle = handle;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<SqliteConnection> {
    return new SqliteConnection(this.#handle, this.#turn);
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
  readonly #turn: Turn;

  constructor(handle: BunDatabase, turn: Turn) {
    this.#handle = handle;
    this.#turn = turn;
  }

  async begin(sql: string): Promise<void> {
    await this.#patiently(() => {
      this.#handle.run(sql);
      this.#turn.take(this);
    });
  }

  release(): void {
    this.#turn.release(this);
  }

  executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    return this.#patiently(() => {
      const statement = this.#handle.query<Row, SQLQueryBindings[]>(sql);
      const bindings = parameters.map(bindingOf);
      if (statement.columnNames.length > 0) return { rows: statement.all(...bindings) };
      const { changes, lastInsertRowid } = statement.run(...bindings);
      return { numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid), rows: [] };
    });
  }

  async *streamQuery<Row>(query: CompiledQuery): AsyncGenerator<QueryResult<Row>> {
    yield await this.executeQuery<Row>(query);
  }

  async #patiently<Result>(run: () => Result): Promise<Result> {
    let giveUpAt = 0;
    for (let pauseMs = 2; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      // Asked again after each wait, and not awaited without need: another one may take the turn in between.
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

/** A moment is ISO 8601 text, as better-auth writes it. */
const bindingOf = (value: unknown) => (value instanceof Date ? value.toISOString() : value) as SQLQueryBindings;

const codeOf = (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : "");
const isBusy = (error: unknown) => codeOf(error).startsWith("SQLITE_BUSY");

const lockedError = (cause: unknown) =>
  new TemporaryUnavailableError("Another program keeps the database locked. Try again in a moment.", { cause });
