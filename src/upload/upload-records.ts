/**
 * `receiving`: bytes are missing. `finishing`: all bytes are on disk, streaming and catalog do not all know yet.
 * `ready` and `failed` are final.
 */
export type UploadState = "receiving" | "finishing" | "ready" | "failed";

/** What is remembered of an upload. */
export interface UploadRecord {
  readonly id: string;
  /** `tus` can be resumed, `form` cannot. */
  readonly kind: "tus" | "form";
  readonly ownerId: string;
  readonly ownerName: string;
  /** The title's initial name and tags. */
  readonly name: string;
  readonly tags: readonly string[];
  /** `Upload-Metadata` as the client sent it, to be given back in HEAD (tus 1.0.0, Creation); of a form its file's name, as `filename`. */
  readonly metadata: Readonly<Record<string, string | null>>;
  /** All bytes it will have; 0 while a form upload's size is unknown. */
  readonly sizeBytes: number;
  /** Bytes safely on disk. */
  readonly offset: number;
  readonly state: UploadState;
  /** Times its inspection was begun without coming to an end: it crashed or hung the process, or took too long. */
  readonly attempts: number;
  readonly mediaId: string | null;
  readonly error: { readonly code: string; readonly detail: string; readonly status: number } | null;
  /** The instance that received its bytes last, and knows their hash; null for records older than this. */
  readonly writer: string | null;
  /** Which copy of its bytes counts; null until another instance has taken it over from one that could not let go. */
  readonly copy: string | null;
  /** The store its bytes arrive in, which not every instance may reach; null for records older than this. */
  readonly place: string | null;
  /** Until then no other instance goes on with it. */
  readonly leaseUntil: Date | null;
  readonly createdAt: Date;
  /** From then on the record, and the bytes of an unfinished upload, may be removed. */
  readonly expiresAt: Date;
}

/** Who receives an upload, how much of it is there, and in which copy. */
export type Receiving = Pick<UploadRecord, "id" | "writer" | "copy" | "offset">;

export type UploadChange = Partial<
  Pick<
    UploadRecord,
    | "name"
    | "tags"
    | "sizeBytes"
    | "offset"
    | "state"
    | "attempts"
    | "mediaId"
    | "error"
    | "copy"
    | "leaseUntil"
    | "expiresAt"
  >
>;

/** The port to the table of uploads. */
export interface UploadRecords {
  insert(record: UploadRecord): Promise<void>;
  get(id: string): Promise<UploadRecord | null>;
  /** Changes a record; nothing when it is gone. */
  update(id: string, change: UploadChange): Promise<void>;
  /** The same while `writer` is its writer; whether it is. */
  updateAs(writer: string, id: string, change: UploadChange): Promise<boolean>;
  /**
   * Changes who receives an upload, as one step: from then on nobody else's bytes are counted. Nothing when it is not as it was
   * `before`, or not `receiving` any more; whether it was changed.
   */
  takeOver(before: Receiving, after: Receiving & { readonly leaseUntil: Date }): Promise<boolean>;
  remove(id: string): Promise<void>;
  /** Uploads in this state, oldest first. */
  inState(state: UploadState): Promise<UploadRecord[]>;
  /** Uploads that are ready but whose SHA-256 is not known yet. */
  unidentified(): Promise<UploadRecord[]>;
  expired(now: Date): Promise<UploadRecord[]>;
  ofOwner(ownerId: string): Promise<UploadRecord[]>;
}
