/**
 * Sessions that instances share beside the database, as better-auth's secondary storage. The database has them too, and has the
 * last word: an answer from here counts only while the session's row is there. So nothing here throws: what cannot
 * be read is read from the database, and what cannot be removed counts for nothing.
 */
export interface SessionCache {
  get(key: string): Promise<string | null>;
  /** `ttlSeconds`: after this it may be forgotten. */
  set(key: string, value: string, ttlSeconds?: number): Promise<void>;
  delete(key: string): Promise<void>;
  getAndDelete(key: string): Promise<string | null>;
  /** Counts; better-auth's own rate limits, which we have switched off, would use it. */
  increment(key: string, ttlSeconds: number): Promise<number>;
  /** Forgets all sessions of a user; those that are in the database go on. */
  forgetUser(userId: string): Promise<void>;
}
