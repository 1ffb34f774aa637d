/** That this instance alone receives bytes of an upload. */
export interface UploadLock {
  release(): Promise<void>;
}

/** What whoever holds a lock is told. */
export interface LockHolder {
  /** Milliseconds since the last byte came. */
  readonly silentMs: () => number;
  /** Another instance wants the upload: `yield` when it has gone silent, `stop` in any case. */
  readonly onAsked: (kind: "yield" | "stop") => void;
  /** Somebody else may have it by now: not a byte more may be written. */
  readonly onLost: () => void;
}

/**
 * Which instance receives an upload, where several share the files. At most one holds an upload's lock; one that could not renew
 * it may learn late that it is another's, so what it writes and counts is kept apart by the records and files (`takeOver`, `branch`).
 */
export interface UploadLocks {
  /** Whether having the lock is enough to take an upload over. */
  readonly decides: boolean;
  /** Null while another instance has it. `TemporaryUnavailableError` when that cannot be told. */
  take(id: string, holder: LockHolder): Promise<UploadLock | null>;
  /**
   * Asks the instance that has it to let go, and waits until it has or will not: a sender that is not silent does not
   * yield. An instance that gives no sign of life is not waited for longer than its lock counts. Whether nobody has it now.
   */
  ask(id: string, kind: "yield" | "stop"): Promise<boolean>;
  /** Whether an instance has it. */
  isHeld(id: string): Promise<boolean>;
}

/** For a single instance, which knows by itself what it receives. */
export const noUploadLocks: UploadLocks = {
  decides: false,
  take: async () => ({ release: async () => undefined }),
  ask: async () => true,
  isHeld: async () => false,
};
