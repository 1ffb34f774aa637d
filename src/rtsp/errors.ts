import type { StatusCode } from "./status.ts";

interface RtspErrorOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether nothing more of the connection can be understood or is wanted: it is closed after the answer. */
  readonly fatal?: boolean;
  readonly cause?: unknown;
}

/** A request that is refused: the status of RFC 2326 section 11 and why, for the log. */
export class RtspError extends Error {
  readonly status: StatusCode;
  readonly headers: Readonly<Record<string, string>>;
  readonly fatal: boolean;

  constructor(status: StatusCode, message: string, options: RtspErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "RtspError";
    this.status = status;
    this.headers = options.headers ?? {};
    this.fatal = options.fatal ?? false;
  }
}
