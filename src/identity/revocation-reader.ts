import type { Revocation } from "../auth/contract.ts";

interface PutUp {
  readonly revocations: readonly Revocation[];
  /** Where to go on reading. */
  readonly next: string;
}

/** Reads the revocations that auth put up for the time without a broker. Both throw while they cannot be reached. */
export interface RevocationReader {
  /** Those of the last so many milliseconds. */
  ofLast(ms: number): Promise<PutUp>;
  /** Those since an answer, by its `next`. */
  since(next: string): Promise<PutUp>;
}
