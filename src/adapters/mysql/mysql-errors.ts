import { StorageFullError, TemporaryUnavailableError } from "../../errors.ts";
import { TransactionConflict } from "../sql/transact.ts";

/**
 * Deadlock, lock wait over, row changed since it was read (MariaDB 11.6), and what another transaction brought
 * in between: a key that exists now, a parent row that does not any more.
 */
const CONFLICTS = new Set([1213, 1205, 1020, 1062, 1452]);
/** Of these a single statement may be tried again: it was undone, and not for what it says. */
const UNDONE = new Set([1213, 1205, 1020]);
const FULL = new Set([1021, 1114, 3675]);
/** Wrong name, password, rights, database or kind of connection; an account that is locked, a password that has expired. */
const REFUSED = new Set([1044, 1045, 1049, 3159, 3118, 4151, 1820, 1862]);
/** Cut for taking too long: by MariaDB, by MySQL, by somebody's `KILL QUERY`. */
const TOO_LONG = new Set([1969, 3024, 1317]);
/** No more connections, going down, read-only for the moment of a fail-over, killed, lost. */
const AWAY = new Set([1040, 1053, 1077, 1079, 1203, 1226, 1290, 1836, 1927, 4031]);

/** The number that the server gave an error; null when it is not one of the server's. */
export const numberOf = (error: unknown): number | null =>
  error instanceof Error && "errno" in error && typeof error.errno === "number" ? error.errno : null;

const codeOf = (error: unknown): string => (error instanceof Error && "code" in error ? String(error.code) : "");

/** Whether the connection can be used no more. */
export const isConnectionLost = (error: unknown): boolean =>
  (error instanceof Error && "fatal" in error && error.fatal === true) ||
  /^(PROTOCOL_|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ENOENT|HANDSHAKE_)/.test(
    codeOf(error),
  ) ||
  (error instanceof Error && /connection (is in closed state|lost)|closed state/i.test(error.message));

/** Whether a statement of its own can simply be run again. */
export const wasUndone = (error: unknown): boolean => UNDONE.has(numberOf(error) ?? 0);

/** An error of the driver as the rest of Kinora knows it; what it does not know stays as it is. */
export function asDatabaseError(error: unknown, inTransaction: boolean): unknown {
  const number = numberOf(error) ?? 0;
  if (inTransaction && CONFLICTS.has(number)) return new TransactionConflict(error);
  if (FULL.has(number)) return new StorageFullError(error);
  if (TOO_LONG.has(number)) return new TemporaryUnavailableError("This took the database too long.", { cause: error });
  if (REFUSED.has(number)) return error;
  if (AWAY.has(number) || isConnectionLost(error) || wasUndone(error)) return unreachable(error);
  return error;
}

/** `TemporaryUnavailableError`: the database is away. */
export const unreachable = (cause: unknown) =>
  new TemporaryUnavailableError("The database cannot be reached right now. Try again in a moment.", { cause });
