import { DetailedError, defaultOptions, Upload } from "tus-js-client";
import type { Upload as UploadState } from "../../upload/contract.ts";
import { ApiError, call, problemOf } from "../api.ts";

const ENDPOINT = "/api/uploads";
const RETRY_DELAYS_MS = [0, 1000, 3000, 5000, 10_000];
/** How often the server is asked whether it has looked through a file that is all there. */
const FINISH_POLL_MS = 500;

export interface TransferOptions {
  readonly userId: string;
  readonly name: string;
  readonly tags: readonly string[];
  onProgress(sentBytes: number): void;
  /** All bytes are there; the server checks them. */
  onSent(): void;
  onReady(titleId: string): void;
  onFailed(error: ApiError): void;
}

/** One file on its way. */
export interface Transfer {
  pause(): Promise<void>;
  resume(): void;
  /** Stops and has the server forget what it has. */
  cancel(): Promise<void>;
}

/** An upload that was begun in this browser and not ended. */
export interface Unfinished {
  readonly key: string;
  readonly url: string;
  readonly filename: string;
  readonly sentBytes: number;
  readonly sizeBytes: number;
}

const prefixOf = (userId: string) => `kinora-${userId}-`;

/** Names the same file of the same person after a reload. */
function fingerprintOf(file: File, userId: string): string {
  return `${prefixOf(userId)}${file.name}-${file.size}-${file.lastModified}`;
}

/** Sends a file (tus 1.0.0), from where an earlier try stopped when there was one. */
export async function startTransfer(file: File, options: TransferOptions): Promise<Transfer> {
  const upload = new Upload(file, {
    endpoint: ENDPOINT,
    retryDelays: RETRY_DELAYS_MS,
    metadata: { filename: file.name, name: options.name, tags: JSON.stringify(options.tags) },
    fingerprint: async () => fingerprintOf(file, options.userId),
    removeFingerprintOnSuccess: true,
    onProgress: (sent) => options.onProgress(sent),
    onShouldRetry: (error) => mayRetry(error.originalResponse?.getStatus() ?? 0),
    onError: (error) => options.onFailed(apiErrorOf(error)),
    onSuccess: () => void finish(upload, options),
  });
  const [earlier] = await upload.findPreviousUploads();
  if (earlier) upload.resumeFromPreviousUpload(earlier);
  upload.start();
  return {
    pause: () => upload.abort(),
    resume: () => upload.start(),
    cancel: () => cancel(upload),
  };
}

/** A refusal stays one; a conflict or a lock (tus core: 409, 423), a missing answer and most 5xx may pass. */
function mayRetry(status: number): boolean {
  if (status === 507 || status === 501) return false;
  return status === 0 || status >= 500 || status === 409 || status === 423;
}

async function cancel(upload: Upload): Promise<void> {
  await upload.abort();
  if (upload.url) await discard(upload.url);
  for (const earlier of await upload.findPreviousUploads()) await forget(earlier.urlStorageKey);
}

async function finish(upload: Upload, options: TransferOptions): Promise<void> {
  options.onSent();
  try {
    const id = idOf(upload.url ?? "");
    for (;;) {
      const state = await call<UploadState>("GET", `${ENDPOINT}/${id}`);
      if (state.state === "ready") return options.onReady(state.titleId);
      if (state.state === "failed") {
        throw new ApiError(422, state.error?.code ?? "unknown", state.error?.detail ?? "The server refused this file.");
      }
      await new Promise((resolve) => setTimeout(resolve, FINISH_POLL_MS));
    }
  } catch (error) {
    options.onFailed(apiErrorOf(error));
  }
}

/** The uploads this person began in this browser that the server still has, with how far they are. */
export async function listUnfinished(userId: string): Promise<Unfinished[]> {
  const stored = await defaultOptions.urlStorage.findAllUploads();
  const mine = stored.filter(({ urlStorageKey }) => urlStorageKey.startsWith(`tus::${prefixOf(userId)}`));
  const states = await Promise.all(
    mine.map(async ({ urlStorageKey, uploadUrl, metadata, size }): Promise<Unfinished | null> => {
      const state = await stateOf(uploadUrl);
      if (state === "gone") await forget(urlStorageKey);
      if (state === "gone" || uploadUrl === null) return null;
      const filename = metadata.filename ?? "video";
      return {
        key: urlStorageKey,
        url: uploadUrl,
        filename,
        sentBytes: state.offset,
        sizeBytes: size ?? state.sizeBytes,
      };
    }),
  );
  return states.filter((state) => state !== null);
}

/** Has the server and this browser forget an unfinished upload. */
export async function discardUnfinished({ key, url }: Pick<Unfinished, "key" | "url">): Promise<void> {
  await discard(url);
  await forget(key);
}

async function stateOf(url: string | null): Promise<UploadState | "gone"> {
  if (url === null) return "gone";
  try {
    const state = await call<UploadState>("GET", `${ENDPOINT}/${idOf(url)}`);
    return state.state === "receiving" ? state : "gone";
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return "gone";
    throw error;
  }
}

async function discard(url: string): Promise<void> {
  try {
    await Upload.terminate(url, { retryDelays: RETRY_DELAYS_MS });
  } catch (error) {
    // Gone already is what was wanted.
    const { status } = apiErrorOf(error);
    if (status !== 404 && status !== 410) throw apiErrorOf(error);
  }
}

const forget = (key: string) => defaultOptions.urlStorage.removeUpload(key);
const idOf = (url: string) => encodeURIComponent(url.slice(url.lastIndexOf("/") + 1));

function apiErrorOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const response = error instanceof DetailedError ? error.originalResponse : null;
  if (!response) return new ApiError(0, "offline", error instanceof Error ? error.message : String(error));
  return problemOf(response.getStatus(), response.getBody(), response.getHeader("Retry-After") ?? null);
}
