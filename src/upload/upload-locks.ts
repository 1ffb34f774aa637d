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

/** Which instance receives an upload, where several share the files. */
export interface UploadLocks {
  /** Null while another instance has it. `TemporaryUnavailableError` when that cannot be told. */
  take(id: string, holder: LockHolder): Promise<UploadLock | null>;
  /**
   * Asks the instance that has it to let go, and waits until it has or will not: a sender that is not silent does not
   * yield. Whether nobody has it now.
   */
  ask(id: string, kind: "yield" | "stop"): Promise<boolean>;
  /** Whether an instance has it. */
  isHeld(id: string): Promise<boolean>;
}

/** For a single instance, which knows by itself what it receives. */
export const noUploadLocks: UploadLocks = {
  take: async () => ({ release: async () => undefined }),
  ask: async () => true,
  isHeld: async () => false,
};
