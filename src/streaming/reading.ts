import { ProblemError, TemporaryUnavailableError } from "../errors.ts";
import { MediaError } from "../media/errors.ts";
import { EmptyError, NotAVideoError, SoundOnlyError, TruncatedError } from "./errors.ts";
import type { LocatedOriginal } from "./original.ts";

/** What is said of an original that cannot be read: 422 `empty`, `truncated`, or `not-a-video`. */
export function problemOf(error: MediaError): ProblemError {
  if (error.code === "empty") return new EmptyError();
  if (error.code === "truncated") return new TruncatedError(error.message, error);
  if (error.code === "sound-only") return new SoundOnlyError(error);
  return new NotAVideoError(error.message, error);
}

/**
 * Does work that reads a located file for an answer. Where it fails: `temporary-unavailable` when the file is not the
 * one any more that was located, and 422 when it is damaged.
 */
export async function reading<T>(file: LocatedOriginal, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof ProblemError) throw cause;
    if (!(await file.isUnchanged())) {
      throw new TemporaryUnavailableError("This video's file has changed and is being read again.", { cause });
    }
    throw cause instanceof MediaError ? problemOf(cause) : cause;
  }
}
