import { TemporaryUnavailableError } from "../../errors.ts";

/** 503: the object store did not do what it was asked for. Its message never holds a URL: those are signed. */
export class StorageUnavailableError extends TemporaryUnavailableError {
  /** What the store said, for operators: a code of S3 or of the network. */
  readonly reason: string;

  constructor(reason: string) {
    super(`The video storage cannot be used right now (${reason}).`, { retryAfterSeconds: 5 });
    this.reason = reason;
  }
}

/** There is no such object; `ENOENT`, as files say it. */
export class MissingObjectError extends Error {
  readonly code = "ENOENT";

  constructor(key: string) {
    super(`There is no object ${key}.`);
    this.name = "MissingObjectError";
  }
}

/** What answers of S3 mean that no repetition changes. */
const REFUSALS = new Set([
  "AccessDenied",
  "InvalidAccessKeyId",
  "SignatureDoesNotMatch",
  "AuthorizationHeaderMalformed",
  "RequestTimeTooSkewed",
  "NoSuchBucket",
  "InvalidToken",
  "ExpiredToken",
]);

export const isRefusal = (error: unknown): error is StorageUnavailableError =>
  error instanceof StorageUnavailableError && REFUSALS.has(error.reason);

export const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT";
