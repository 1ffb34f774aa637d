import type { Revocation } from "./contract.ts";

/** What was put on the board, and where to go on reading. */
export interface PutUp {
  readonly revocations: Revocation[];
  readonly next: string;
}

/**
 * Revocations where every instance can read them when nobody can be told by the broker. Not their memory: that is auth's
 * database, which is read anew when the broker is back.
 */
export interface RevocationBoard {
  /** Throws `TemporaryUnavailableError` while it cannot be reached. */
  put(revocations: readonly Revocation[]): Promise<void>;
  /** What was put up in the last so many milliseconds. `TemporaryUnavailableError` as above. */
  ofLast(ms: number): Promise<PutUp>;
  /** What was put up since an answer, by its `next`. */
  since(next: string): Promise<PutUp>;
}
