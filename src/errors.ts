/** What an error carries beside its message; everything in it may be shown to the caller. */
export interface ProblemOptions {
  /** HTTP status the error maps to at the edge. */
  readonly status: number;
  /** Extra members of the problem document (RFC 9457 section 3.2). Never secrets. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** Response headers the status asks for, such as `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/**
 * An error a caller can act on. `code` is stable and documented in `docs/errors.md`; the message says what was
 * expected and what came. It crosses the bus with code, message, status, data and headers intact.
 */
export class ProblemError extends Error {
  readonly code: string;
  readonly status: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: string, message: string, options: ProblemOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.status = options.status;
    this.data = options.data ?? {};
    this.headers = options.headers ?? {};
  }
}

/** 400 `invalid-request`: the request does not have the form its schema asks for. */
export class InvalidRequestError extends ProblemError {
  constructor(message: string, data?: Readonly<Record<string, unknown>>) {
    super("invalid-request", message, { status: 400, ...(data ? { data } : {}) });
  }
}

/** 401 `unauthorized`: nobody is signed in, or the credential is not (or no longer) valid. */
export class UnauthorizedError extends ProblemError {
  constructor(message = "Sign in to use this.", data: Readonly<Record<string, unknown>> = {}) {
    super("unauthorized", message, { status: 401, data, headers: { "WWW-Authenticate": 'Bearer realm="kinora"' } });
  }
}

/** 403 `forbidden`: the caller is known and may see the thing, but not do this with it. */
export class ForbiddenError extends ProblemError {
  constructor(message = "You are not allowed to do this.") {
    super("forbidden", message, { status: 403 });
  }
}

/** 404 `wrong-media-id`: there is no such title, or the caller may not see it. The two answers are the same. */
export class WrongMediaIdError extends ProblemError {
  constructor() {
    super("wrong-media-id", "There is no video with this id.", { status: 404 });
  }
}

/** 404 `not-found`: any other thing that is not there, or not the caller's to see. */
export class NotFoundError extends ProblemError {
  constructor(message = "There is nothing here.") {
    super("not-found", message, { status: 404 });
  }
}

/** 409 `conflict`: the thing has changed, or exists already. */
export class ConflictError extends ProblemError {
  constructor(message: string) {
    super("conflict", message, { status: 409 });
  }
}

/** 429 `rate-limited`: too many attempts; `Retry-After` says when the next one is allowed. */
export class RateLimitedError extends ProblemError {
  constructor(message: string, retryAfterSeconds: number) {
    super("rate-limited", message, {
      status: 429,
      data: { retryAfterSeconds },
      headers: { "Retry-After": String(Math.max(1, Math.ceil(retryAfterSeconds))) },
    });
  }
}

/** 503 `temporary-unavailable`: known, but what is needed to answer is not running right now. */
export class TemporaryUnavailableError extends ProblemError {
  constructor(message: string, options: { retryAfterSeconds?: number; cause?: unknown } = {}) {
    super("temporary-unavailable", message, {
      status: 503,
      headers: { "Retry-After": String(options.retryAfterSeconds ?? 2) },
      ...(options.cause === undefined ? {} : { cause: options.cause }),
    });
  }
}

/** Whether something that is needed is away for the moment: known, told when it began, and over by itself. */
export const isAway = (error: unknown): error is ProblemError => error instanceof ProblemError && error.status === 503;

/** 507 `disk-full`: there is no space where Kinora keeps its data. Nothing was changed. */
export class StorageFullError extends ProblemError {
  constructor(cause?: unknown) {
    super("disk-full", "There is no space left where Kinora keeps its data.", { status: 507, cause });
  }
}

const FULL_CODES = new Set(["ENOSPC", "EDQUOT"]);

/** Whether the system had no room for a write. */
export const isNoSpace = (error: unknown): boolean =>
  error instanceof Error && "code" in error && FULL_CODES.has(String(error.code));

/**
 * `StorageFullError` for a write that found no room, wherever that was, and what was away for a library that failed because of it; anything
 * else as it is.
 */
export function asKnownFailure(error: unknown): unknown {
  if (isNoSpace(error)) return new StorageFullError(error);
  if (error instanceof ProblemError) return error;
  for (let at = error; at instanceof Error; at = at.cause) if (isAway(at)) return at;
  return error;
}

/** Kinora cannot start, and the operator can do something about it: `hint` says what. */
export class StartError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StartError";
    this.hint = hint;
  }
}
