import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { DetailedError, type HttpResponse, Upload, type UploadOptions } from "tus-js-client";
import { upload as uploadAnswer } from "../../upload/contract.ts";
import type { Api } from "../api.ts";
import { ClientError, EXIT, interrupted } from "../errors.ts";
import { problemOf } from "../problem.ts";

// The library's `url.parse` would be told to whoever uploads with the compiled executable: they cannot help it.
process.noDeprecation = true;

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 15_000;
/** Without a byte getting through for so long it is given up; the next run goes on from there. */
const PATIENCE_MS = 5 * 60_000;
/** A connection over which nothing has gone for so long is dead, even if nobody has said so. */
const STALL_MS = 30_000;
/** How long the server may take to answer when it has all bytes. */
const ANSWER_MS = 120_000;
const FINISH_POLL_MS = 250;
const CHECK_MS = 1_000;
/** No answer, a proxy without its server, a lock, too many requests: these pass. A full disk needs somebody. */
const PASSING = new Set([0, 409, 423, 429, 502, 503, 504]);

export interface Transfer {
  readonly path: string;
  readonly sizeBytes: number;
  readonly name: string | undefined;
  readonly tags: readonly string[];
  /** The upload from before that it goes on with. */
  readonly url: string | null;
  readonly signal: AbortSignal;
  /** The server knows the upload under this URL from now on. */
  onUrl(url: string): void;
  onProgress(sentBytes: number): void;
  /** The connection is lost; it is tried again after so many seconds. */
  onWaiting(error: ClientError, seconds: number): void;
}

/** Sends a file (tus 1.0.0), again and again after lost connections. Its title's id, when it can be watched. */
export async function sendFile(api: Api, transfer: Transfer): Promise<string> {
  let failures = 0;
  let lastByteAtMs = performance.now();
  let sent = 0;
  const upload = makeUpload(api, transfer, (bytes) => {
    if (bytes > sent) {
      failures = 0;
      lastByteAtMs = performance.now();
    }
    sent = bytes;
    transfer.onProgress(bytes);
  });
  for (;;) {
    try {
      await attempt(upload, transfer);
      return await ready(api, upload.url ?? "", transfer.signal);
    } catch (error) {
      if (transfer.signal.aborted) throw interrupted();
      const problem = toClientError(error);
      const mayPass = problem.status === undefined ? problem.exit === EXIT.unreachable : PASSING.has(problem.status);
      if (!mayPass || performance.now() - lastByteAtMs > PATIENCE_MS) throw problem;
      const delayMs = Math.min(FIRST_DELAY_MS * 2 ** failures++, LONGEST_DELAY_MS);
      transfer.onWaiting(problem, delayMs / 1000);
      await pause(delayMs, transfer.signal);
    }
  }
}

interface Progress {
  /** Resolves or rejects the attempt that runs. */
  settle: { resolve(): void; reject(error: unknown): void } | null;
  lastSignMs: number;
  sentBytes: number;
}

type ResumableUpload = Upload & { readonly progress: Progress };

function makeUpload(api: Api, transfer: Transfer, onProgress: (sentBytes: number) => void): ResumableUpload {
  const progress: Progress = { settle: null, lastSignMs: 0, sentBytes: 0 };
  const { path, name, tags, url } = transfer;
  const upload = new Upload(Bun.file(path), {
    endpoint: `${api.origin}/api/uploads`,
    uploadUrl: url,
    fileReader: fileReader(transfer),
    // Trying again is done here: the library gives up after a number of attempts.
    retryDelays: null,
    storeFingerprintForResuming: false,
    metadata: { filename: basename(path), tags: JSON.stringify(tags), ...(name === undefined ? {} : { name }) },
    onBeforeRequest: async (request) => request.setHeader("Authorization", `Bearer ${await api.bearer()}`),
    onAfterResponse: (request, response) => requireOffset(request.getMethod(), response),
    onUploadUrlAvailable: () => transfer.onUrl(upload.url ?? ""),
    onProgress: (sentBytes) => {
      progress.lastSignMs = performance.now();
      progress.sentBytes = sentBytes;
      onProgress(sentBytes);
    },
    onError: (error) => progress.settle?.reject(error),
    onSuccess: () => progress.settle?.resolve(),
  });
  return Object.assign(upload, { progress });
}

/** The file is read as it goes: only the parts on their way are in memory. */
function fileReader({ path, sizeBytes }: Transfer): NonNullable<UploadOptions["fileReader"]> {
  const slice = async (start: number, end: number) => {
    const stop = Math.min(end, sizeBytes);
    const stream = start < stop ? createReadStream(path, { start, end: stop - 1 }) : null;
    // The library takes `Content-Length` from it.
    const value = stream ? Object.assign(stream, { size: stop - start }) : new Uint8Array();
    return { value, done: stop >= sizeBytes };
  };
  return { openFile: async () => ({ size: sizeBytes, slice, close: () => undefined }) };
}

/** One try. Ends with an error when the connection is dead without anybody saying so. */
async function attempt(upload: ResumableUpload, { sizeBytes, signal }: Transfer): Promise<void> {
  if (signal.aborted) throw interrupted();
  const { progress } = upload;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  progress.settle = { resolve, reject };
  progress.lastSignMs = performance.now();
  const abort = () => reject(interrupted());
  signal.addEventListener("abort", abort);
  const timer = setInterval(() => {
    const patienceMs = progress.sentBytes < sizeBytes ? STALL_MS : ANSWER_MS;
    if (performance.now() - progress.lastSignMs > patienceMs) reject(lost());
  }, CHECK_MS);
  try {
    upload.start();
    await promise;
  } catch (error) {
    await upload.abort();
    throw error;
  } finally {
    clearInterval(timer);
    signal.removeEventListener("abort", abort);
    progress.settle = null;
  }
}

/** Waits until the server has looked through a file that is all there. */
async function ready(api: Api, url: string, signal: AbortSignal): Promise<string> {
  const id = encodeURIComponent(url.slice(url.lastIndexOf("/") + 1));
  for (;;) {
    const { state, error, titleId } = await api.call("GET", `/api/uploads/${id}`, uploadAnswer);
    if (state === "ready") return titleId;
    if (state === "failed")
      throw new ClientError(error?.code ?? "upload-failed", error?.detail ?? "The server refused this file.", {
        status: 422,
      });
    await pause(FINISH_POLL_MS, signal);
  }
}

/**
 * Only 404 and 410 mean that the server does not have the upload. The library takes every refusal of HEAD for that,
 * forgets what was sent and begins anew; an error of ours keeps it.
 */
function requireOffset(method: string, response: HttpResponse): void {
  const status = response.getStatus();
  if (method !== "HEAD" || status < 400 || status === 404 || status === 410) return;
  const detail = status === 401 ? "You are not signed in any more." : `The server answered ${status}.`;
  throw problemOf(
    status,
    JSON.stringify({ code: status === 401 ? "unauthorized" : "refused", detail }),
    headersOf(response),
  );
}

const headersOf = (response: HttpResponse) => ({ get: (name: string) => response.getHeader(name) ?? null });

function toClientError(error: unknown): ClientError {
  if (error instanceof ClientError) return error;
  if (!(error instanceof DetailedError)) {
    const message = error instanceof Error ? error.message : String(error);
    return new ClientError("unreadable-file", message, { cause: error });
  }
  if (error.causingError instanceof ClientError) return error.causingError;
  const response = error.originalResponse;
  return response ? problemOf(response.getStatus(), response.getBody(), headersOf(response)) : lost(error);
}

const lost = (cause?: unknown) =>
  new ClientError("server-unreachable", "The connection was lost.", {
    exit: EXIT.unreachable,
    hint: "The same command goes on where it stopped.",
    cause,
  });

function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = () => reject(interrupted());
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  });
}
