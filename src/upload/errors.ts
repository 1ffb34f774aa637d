import { isNoSpace, ProblemError } from "../errors.ts";

/** 422 `not-a-video`: the bytes are certainly no video that Kinora can play. */
export class NotAVideoError extends ProblemError {
  constructor(message: string) {
    super("not-a-video", message, { status: 422 });
  }
}

/** 422 `empty`: the file has no bytes. */
export class EmptyUploadError extends ProblemError {
  constructor() {
    super("empty", "The file is empty: a video has at least one byte.", { status: 422 });
  }
}

/** 413 `too-large`: more bytes than `upload.maxSize` allows, or than the upload announced. */
export class TooLargeError extends ProblemError {
  constructor(message: string, maxSizeBytes: number) {
    super("too-large", message, { status: 413, data: { maxSizeBytes } });
  }

  /** More than the configuration allows. */
  static forLimit(maxSizeBytes: number): TooLargeError {
    return new TooLargeError(`A video may have at most ${maxSizeBytes} bytes here.`, maxSizeBytes);
  }
}

/** 507 `disk-full`: the media volume has no room. What a resumable upload has acknowledged is kept. */
export class DiskFullError extends ProblemError {
  constructor(cause?: unknown) {
    super("disk-full", "There is not enough space left for this video.", { status: 507, cause });
  }
}

/** 423 `upload-locked`: another request is sending bytes of this upload right now. */
export class UploadLockedError extends ProblemError {
  constructor() {
    super("upload-locked", "Another request is sending this upload right now.", {
      status: 423,
      headers: { "Retry-After": "1" },
    });
  }
}

/** 404 `not-found`: no such upload, or not the caller's. The two answers are the same. */
export class UploadNotFoundError extends ProblemError {
  constructor() {
    super("not-found", "There is no upload with this id.", { status: 404 });
  }
}

/** 410 `upload-gone`: it expired or failed, and its bytes were removed. */
export class UploadGoneError extends ProblemError {
  constructor(message = "This upload is over and its bytes are gone. Start a new one.") {
    super("upload-gone", message, { status: 410 });
  }
}

/** 412 `tus-version`: the request does not speak the version of the protocol that is known here (tus 1.0.0). */
export class TusVersionError extends ProblemError {
  constructor() {
    super("tus-version", "Expected the header Tus-Resumable: 1.0.0.", {
      status: 412,
      headers: { "Tus-Version": "1.0.0" },
    });
  }
}

/** 409 `conflict`: the offset is not where the upload is (tus 1.0.0, PATCH). */
export class OffsetConflictError extends ProblemError {
  constructor(offset: number) {
    super("conflict", `The upload is at offset ${offset}. Ask with HEAD and go on from there.`, {
      status: 409,
      data: { offset },
    });
  }
}

/** 400 `invalid-request`: the connection ended, or the body stopped, before all of it had come. */
export class IncompleteBodyError extends ProblemError {
  constructor(cause?: unknown) {
    super("invalid-request", "The request's body ended early.", { status: 400, cause });
  }
}

/** 460 `checksum-mismatch`: the bytes are not those that were sent; none of them is kept (tus 1.0.0, Checksum). */
export class ChecksumMismatchError extends ProblemError {
  constructor() {
    super("checksum-mismatch", "The bytes have another checksum than Upload-Checksum says. Send them again.", {
      status: 460,
    });
  }
}

/** 415 `unsupported-media-type`: the body is not of the type this route takes. */
export class UnsupportedMediaTypeError extends ProblemError {
  constructor(expected: string) {
    super("unsupported-media-type", `Expected a body of type ${expected}.`, { status: 415 });
  }
}

const systemCode = (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : "");

/** Whether a file was not there. */
export const isMissing = (error: unknown): boolean => systemCode(error) === "ENOENT";

/** `DiskFullError` for a write that found no room; anything else as it is. */
export function asUploadError(error: unknown): unknown {
  return isNoSpace(error) ? new DiskFullError(error) : error;
}
