import { DetailedError, defaultOptions, type HttpResponse, Upload } from "tus-js-client";
import type { Upload as UploadState } from "../../upload/contract.ts";
import { ApiError, call, messageOf, problemOf } from "../api.ts";
import { mayRetry, retryDelayMs, waitForRetry } from "./retry.ts";
import { fingerprintOf, prefixOf, type Unfinished } from "./unfinished.ts";

const ENDPOINT = "/api/uploads";
const DISCARD_DELAYS_MS = [0, 1000, 3000];
/** How often the server is asked whether it has looked through a file that is all there. */
const FINISH_POLL_MS = 500;
/** A connection over which nothing has gone for so long is dead, even if nobody has said so. */
const STALL_MS = 20_000;
/** How long the server may take to answer when it has all bytes. */
const ANSWER_MS = 120_000;

export interface TransferOptions {
  readonly userId: string;
  readonly name: string;
  readonly tags: readonly string[];
  /** Bytes go: how many are through. */
  onProgress(sentBytes: number): void;
  /** The connection is lost; it is tried again until it works or the transfer is paused. */
  onReconnecting(): void;
  /** All bytes are there; the server checks them. */
  onSent(): void;
  onReady(titleId: string): void;
  onFailed(error: ApiError): void;
}

/** One file on its way. */
export interface Transfer {
  /** Whether it goes on with an upload from before, which has its name and tags already. */
  readonly continues: boolean;
  pause(): Promise<void>;
  resume(): void;
  /** Stops and has the server forget what it has. */
  cancel(): Promise<void>;
}

/** Sends a file (tus 1.0.0), from where an earlier try stopped when there was one. */
export async function startTransfer(file: File, options: TransferOptions): Promise<Transfer> {
  const transfer = new TusTransfer(file, options);
  await transfer.begin();
  return transfer;
}

class TusTransfer implements Transfer {
  readonly #options: TransferOptions;
  readonly #file: File;
  readonly #upload: Upload;
  /** Ends what waits or listens on behalf of the transfer; null while it is paused or over. */
  #running: AbortController | null = null;
  #failures = 0;
  #isWaiting = false;
  #isSent = false;
  #sentBytes = 0;
  #lastSignMs = 0;
  continues = false;

  constructor(file: File, options: TransferOptions) {
    this.#options = options;
    this.#file = file;
    this.#upload = new Upload(file, {
      endpoint: ENDPOINT,
      // Trying again is done here: the library gives up after a number of attempts.
      retryDelays: null,
      metadata: { filename: file.name, name: options.name, tags: JSON.stringify(options.tags) },
      fingerprint: async () => fingerprintOf(file, options.userId),
      removeFingerprintOnSuccess: true,
      onAfterResponse: (request, response) => requireOffset(request.getMethod(), response),
      onProgress: (sent) => this.#progress(sent),
      onError: (error) => void this.#failed(apiErrorOf(error)),
      onSuccess: () => {
        this.#isSent = true;
        void this.#finish();
      },
    });
  }

  async begin(): Promise<void> {
    const [earlier] = await this.#upload.findPreviousUploads();
    if (earlier) this.#upload.resumeFromPreviousUpload(earlier);
    this.continues = earlier !== undefined;
    this.resume();
  }

  async pause(): Promise<void> {
    this.#end();
    await this.#upload.abort();
  }

  resume(): void {
    this.#end();
    this.#running = new AbortController();
    this.#failures = 0;
    this.#watch(this.#running.signal);
    this.#go();
  }

  async cancel(): Promise<void> {
    await this.pause();
    if (this.#upload.url) await discard(this.#upload.url);
    for (const earlier of await this.#upload.findPreviousUploads()) await forget(earlier.urlStorageKey);
  }

  #end(): void {
    this.#running?.abort();
    this.#running = null;
  }

  #go(): void {
    this.#lastSignMs = performance.now();
    if (this.#isSent) void this.#finish();
    else this.#upload.start();
  }

  #progress(sentBytes: number): void {
    this.#lastSignMs = performance.now();
    if (sentBytes > this.#sentBytes) this.#failures = 0;
    this.#sentBytes = sentBytes;
    this.#options.onProgress(sentBytes);
  }

  /** Notices a connection that is lost without an error. */
  #watch(signal: AbortSignal): void {
    const lost = async () => {
      if (this.#isSent || this.#isWaiting || signal.aborted) return;
      await this.#upload.abort();
      await this.#failed(new ApiError(0, "offline", "The connection was lost."));
    };
    const timer = setInterval(() => {
      const patienceMs = this.#sentBytes < this.#file.size ? STALL_MS : ANSWER_MS;
      if (performance.now() - this.#lastSignMs > patienceMs) void lost();
    }, 1_000);
    signal.addEventListener("abort", () => clearInterval(timer));
    addEventListener("offline", () => void lost(), { signal });
  }

  async #failed(problem: ApiError): Promise<void> {
    const running = this.#running;
    if (!running || this.#isWaiting) return;
    this.#isWaiting = true;
    this.#failures++;
    // A browser reports a file that it can no longer read like a lost connection.
    const error = problem.status === 0 && !(await isReadable(this.#file)) ? fileChanged() : problem;
    let goesOn = false;
    if (mayRetry(error, this.#failures)) {
      if (!running.signal.aborted) this.#options.onReconnecting();
      goesOn = await waitForRetry(retryDelayMs(this.#failures, error.retryAfterSeconds), running.signal);
    } else if (!running.signal.aborted) {
      this.#end();
      this.#options.onFailed(error);
    }
    this.#isWaiting = false;
    if (goesOn) this.#go();
  }

  async #finish(): Promise<void> {
    const signal = this.#running?.signal;
    const id = idOf(this.#upload.url ?? "");
    if (this.#failures === 0) this.#options.onSent();
    try {
      for (;;) {
        const state = await call<UploadState>("GET", `${ENDPOINT}/${id}`, undefined, signal ? { signal } : {});
        this.#failures = 0;
        this.#options.onSent();
        if (state.state === "failed") {
          const { code, detail } = state.error ?? { code: "unknown", detail: "The server refused this file." };
          throw new ApiError(422, code, detail);
        }
        if (state.state === "ready") break;
        await new Promise((resolve) => setTimeout(resolve, FINISH_POLL_MS));
      }
    } catch (error) {
      if (!signal?.aborted) await this.#failed(apiErrorOf(error));
      return;
    }
    this.#end();
    this.#options.onReady(id);
  }
}

/**
 * Only 404 and 410 mean that the server does not have the upload. The library takes every refusal of HEAD for that,
 * forgets what was sent and begins anew; an error of ours keeps it.
 */
async function requireOffset(method: string, response: HttpResponse): Promise<void> {
  const status = response.getStatus();
  if (method !== "HEAD" || status < 400 || status === 404 || status === 410) return;
  const code = status === 401 ? "unauthorized" : "unknown";
  throw problemOf(status, JSON.stringify({ code }), response.getHeader("Retry-After") ?? null);
}

async function isReadable(file: File): Promise<boolean> {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

const fileChanged = () => new ApiError(400, "file-changed", "The file cannot be read any more.");

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
export async function discardUpload({ key, url }: Pick<Unfinished, "key" | "url">): Promise<void> {
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
    await Upload.terminate(url, { retryDelays: DISCARD_DELAYS_MS });
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
  if (!(error instanceof DetailedError)) return new ApiError(0, "offline", messageOf(error));
  if (error.causingError instanceof ApiError) return error.causingError;
  const response = error.originalResponse;
  if (!response) return new ApiError(0, "offline", error.message);
  return problemOf(response.getStatus(), response.getBody(), response.getHeader("Retry-After") ?? null);
}
