import { findText, language, t } from "./i18n/i18n.ts";
import { refusalOf } from "./refusal.ts";
/** An answer that says no: the problem document (RFC 9457) as an error. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  /** Seconds to wait before trying again; null when the server named none. */
  readonly retryAfterSeconds: number | null;
  /** All members of the problem document. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    status: number,
    code: string,
    detail: string,
    retryAfterSeconds: number | null = null,
    members: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail);
    this.members = members;
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

let whenSignedOut = () => {};

/** Calls `listener` each time an answer says that nobody is signed in any more. */
export function onSignedOut(listener: () => void): void {
  whenSignedOut = listener;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Lets the request outlive the page. */
  readonly keepalive?: boolean;
  /** True where 401 is an ordinary answer, not the end of the session. */
  readonly anonymous?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** Told of the answer's entity tag. */
  onTag?(tag: string): void;
}

/** Calls the HTTP interface. Rejects with `ApiError`, code `offline` (status 0) when no answer came. */
export async function call<T>(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<T> {
  const response = await send(method, path, body, options);
  options.onTag?.(response.headers.get("ETag") ?? "");
  if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T;
  const error = await readProblem(response);
  if (error.status === 401 && !options.anonymous) whenSignedOut();
  throw error;
}

async function send(method: string, path: string, body: unknown, options: CallOptions): Promise<Response> {
  try {
    return await fetch(path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: { ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...options.headers },
      ...(options.signal ? { signal: options.signal } : {}),
      keepalive: options.keepalive ?? false,
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, "offline", t("error.offline"));
  }
}

async function readProblem(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => "");
  return problemOf(response.status, text, response.headers.get("Retry-After"));
}

/** The error in a response, whoever sent the request. */
export function problemOf(status: number, text: string, retryAfter: string | null): ApiError {
  let problem: Readonly<Record<string, unknown>> = {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null) problem = { ...parsed };
  } catch {
    // Not from Kinora: a proxy's page. The status has to do.
  }
  const code = typeof problem.code === "string" ? problem.code : "unknown";
  const detail = typeof problem.detail === "string" ? problem.detail : t("error.status", { status: String(status) });
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  return new ApiError(status, code, detail, Number.isFinite(seconds) ? seconds : null, problem);
}

/** The message of anything thrown, for people. */
export function messageOf(error: unknown): string {
  // In English the server's own sentence is there, which knows more than its code.
  const translated =
    error instanceof ApiError && language.value !== "en"
      ? findText(`refused.${refusalOf(error.code, error.message)}`)
      : null;
  if (translated !== null) return translated;
  return error instanceof Error ? error.message : String(error);
}
