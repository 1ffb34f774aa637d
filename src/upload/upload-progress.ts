import type { ProgressEvent } from "../main/contract.ts";
import type { UploadRecord } from "./upload-records.ts";

/** Time between two events of one upload. */
const INTERVAL_MS = 500;

type Labelled = Pick<UploadRecord, "id" | "ownerId" | "name">;

/** Tells how far uploads are, about twice a second for each. */
export class UploadProgress {
  readonly #publish: (event: ProgressEvent) => void;
  readonly #toldAt = new Map<string, number>();

  constructor(publish: (event: ProgressEvent) => void) {
    this.#publish = publish;
  }

  /** `total` is null while it is unknown. */
  running(upload: Labelled, done: number, total: number | null): void {
    const now = performance.now();
    if (now - (this.#toldAt.get(upload.id) ?? Number.NEGATIVE_INFINITY) < INTERVAL_MS) return;
    this.#toldAt.set(upload.id, now);
    this.#tell(upload, { state: "running", done, total, titleId: upload.id, error: null });
  }

  done(upload: Labelled, sizeBytes: number): void {
    this.#toldAt.delete(upload.id);
    this.#tell(upload, { state: "done", done: sizeBytes, total: sizeBytes, titleId: upload.id, error: null });
  }

  failed(upload: Labelled, done: number, error: { code: string; detail: string }): void {
    this.#toldAt.delete(upload.id);
    this.#tell(upload, { state: "failed", done, total: null, titleId: null, error });
  }

  /** Nothing more comes of it. */
  forget(id: string): void {
    this.#toldAt.delete(id);
  }

  #tell(upload: Labelled, rest: Pick<ProgressEvent, "state" | "done" | "total" | "titleId" | "error">): void {
    this.#publish({
      adminsOnly: false,
      kind: "upload",
      id: upload.id,
      userId: upload.ownerId,
      label: upload.name,
      ...rest,
    });
  }
}
