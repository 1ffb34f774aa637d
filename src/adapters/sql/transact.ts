import type { IsolationLevel, SelectQueryBuilder, Transaction } from "kysely";
import { TemporaryUnavailableError } from "../../errors.ts";
import { isSqlite } from "./column-types.ts";
import type { Database, Tables } from "./tables.ts";

/** Somebody else's transaction stood in the way: a deadlock, a lock that stayed, a row that came in between. */
export class TransactionConflict extends Error {
  constructor(cause: unknown) {
    super("Another transaction stood in the way.", { cause });
    this.name = "TransactionConflict";
  }
}

const ATTEMPTS = 20;
const LONGEST_PAUSE_MS = 200;

/** After this many failures in a row, the wait before the next attempt: random, so that two do not meet again. */
export const pauseMs = (failures: number) => Math.random() * Math.min(LONGEST_PAUSE_MS, 2 ** failures);

/**
 * Runs `work` in a transaction, again from its beginning when another transaction stood in the way: it must change
 * nothing but the database. `serializable`, the default, makes it as if it ran alone, as every transaction on SQLite
 * does; `read committed` is for work that locks the rows it goes by, or stands on unique keys.
 * `TemporaryUnavailableError` when others stay in the way.
 */
export async function transact<Result>(
  database: Database,
  work: (transaction: Transaction<Tables>) => Promise<Result>,
  isolation: IsolationLevel = "serializable",
): Promise<Result> {
  for (let failures = 0; ; ) {
    try {
      return await database.transaction().setIsolationLevel(isolation).execute(work);
    } catch (error) {
      if (!(error instanceof TransactionConflict)) throw error;
      if (++failures >= ATTEMPTS)
        throw new TemporaryUnavailableError("Too many changes at the same moment. Try again.", { cause: error });
      await Bun.sleep(pauseMs(failures));
    }
  }
}

/** Has a transaction lock the rows that a query finds, where the database does not run one transaction at a time. */
export function locked<Table extends keyof Tables, Row>(
  transaction: Transaction<Tables>,
  query: SelectQueryBuilder<Tables, Table, Row>,
): SelectQueryBuilder<Tables, Table, Row> {
  return isSqlite(transaction) ? query : query.forUpdate();
}
