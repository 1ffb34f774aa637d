import type { Logger } from "pino";
import { isAway } from "../errors.ts";

/**
 * Logs what went wrong. That something is away for the moment is expected, and told once by who finds it away: what it keeps from being done
 * is `info`, in one line without a stack.
 */
export function logFailure(
  log: Logger,
  error: unknown,
  message: string,
  fields: Readonly<Record<string, unknown>> = {},
  level: "warn" | "error" = "error",
): void {
  if (isAway(error)) log.info({ ...fields, reason: error.message }, message);
  else log[level]({ ...fields, err: error }, message);
}
