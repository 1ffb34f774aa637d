import { z } from "zod";
import { issuedToken, SESSION_COOKIE } from "../auth/contract.ts";
import { version } from "../version.ts";
import { session as sessionAnswer } from "./answers.ts";
import { ClientError, EXIT } from "./errors.ts";
import { notKinora, problemOf } from "./problem.ts";

/** How long a server may take to answer. */
const ANSWER_MS = 30_000;
/** What an answer has at most; a page of titles has a few hundred KiB. */
const ANSWER_BYTES = 16 << 20;
/** A token is renewed when it counts for less than this. */
const TOKEN_LEFT_MS = 10_000;

const USER_AGENT = `kinora/${version} (${process.platform})`;

/** A query's parameters; undefined ones are left out, lists are repeated. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface CallOptions {
  readonly body?: unknown;
  readonly query?: Query;
  readonly signal?: AbortSignal;
}

export interface SignIn {
  readonly username: string;
  readonly password: string;
  readonly create: boolean;
  readonly invite?: string | undefined;
  readonly setupCode?: string | undefined;
  /** Of the second factor: a code of the app, or a backup code. */
  readonly twoFactorCode?: string | undefined;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/**
 * One server's HTTP interface (design section 8), as one person. The session cookie goes to `/api/session` and
 * `/api/tokens` only; everything else gets a 30 s token made from it. Failures are `ClientError`.
 */
export class Api {
  readonly origin: string;
  #session: string | null;
  #token: { readonly token: string; readonly untilMs: number } | null = null;
  #renewing: Promise<string> | null = null;
  /** How far the server's clock is ahead of ours, by its last answer. */
  #aheadMs = 0;

  /** `session` is the saved cookie (`name=value`), null for nobody. */
  constructor(origin: string, session: string | null) {
    this.origin = origin;
    this.#session = session;
  }

  /** The time by the server's clock, to a second: expiries are told by it. */
  nowMs(): number {
    return Date.now() + this.#aheadMs;
  }

  /** The session cookie to save; null when nobody is signed in. */
  get session(): string | null {
    return this.#session;
  }

  /** Signs in, or makes the account when `create` is set and registration allows it. */
  async signIn(body: SignIn): Promise<z.infer<typeof sessionAnswer>["user"]> {
    const response = await this.#fetch("POST", "/api/session", { body });
    const { user } = await this.#read(response, sessionAnswer);
    const cookie = cookieOf(response);
    if (!cookie) throw notKinora("It set no session cookie.");
    this.#session = cookie;
    return user;
  }

  /** Who is signed in; prolongs the session. */
  async whoAmI(): Promise<z.infer<typeof sessionAnswer>["user"]> {
    const response = await this.#withSession("GET", "/api/session", {});
    this.#session = cookieOf(response) ?? this.#session;
    return (await this.#read(response, sessionAnswer)).user;
  }

  /** Ends the session on the server, with the tokens made from it. */
  async signOut(): Promise<void> {
    await this.#withSession("DELETE", "/api/session", {});
    this.#session = null;
    this.#token = null;
  }

  async changePassword(current: string, next: string): Promise<void> {
    await this.#withSession("PUT", "/api/session/password", { body: { current, next } });
    // All tokens have ended with it.
    this.#token = null;
  }

  /** Calls a route as the person signed in; what it answers, checked. */
  async call<Schema extends z.ZodType>(
    method: Method,
    path: string,
    answer: Schema,
    options: CallOptions = {},
  ): Promise<z.output<Schema>> {
    return this.#read(await this.send(method, path, options), answer);
  }

  /** The same for a route that answers without a body. */
  async tell(method: Method, path: string, options: CallOptions = {}): Promise<void> {
    await this.send(method, path, options);
  }

  /** The answer itself, of success: an event stream. Without `signal` it may take `ANSWER_MS`. */
  async send(method: Method, path: string, options: CallOptions = {}): Promise<Response> {
    const authorization = `Bearer ${await this.bearer()}`;
    return this.#fetch(method, path, options, { Authorization: authorization });
  }

  /** A token that counts for a while yet. */
  async bearer(): Promise<string> {
    if (this.#token && performance.now() < this.#token.untilMs - TOKEN_LEFT_MS) return this.#token.token;
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  /** The next request gets a token that counts for its whole time. */
  forgetToken(): void {
    this.#token = null;
  }

  async #renew(): Promise<string> {
    const response = await this.#withSession("POST", "/api/tokens", {});
    const { token, expiresAt } = await this.#read(response, issuedToken);
    this.#token = { token, untilMs: performance.now() + Math.max(0, Date.parse(expiresAt) - this.nowMs()) };
    return token;
  }

  async #withSession(method: Method, path: string, options: CallOptions): Promise<Response> {
    if (this.#session === null) throw notSignedIn(this.origin);
    return this.#fetch(method, path, options, { Cookie: this.#session });
  }

  async #fetch(method: Method, path: string, options: CallOptions, headers: Record<string, string> = {}) {
    const { body, query, signal = AbortSignal.timeout(ANSWER_MS) } = options;
    const url = new URL(path, this.origin);
    for (const [name, value] of Object.entries(query ?? {})) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== undefined) url.searchParams.append(name, String(one));
      }
    }
    const json: Record<string, string> = body === undefined ? {} : { "Content-Type": "application/json" };
    const response = await fetch(url, {
      method,
      headers: { "User-Agent": USER_AGENT, Accept: "application/json", ...json, ...headers },
      // A redirect could lead the credential elsewhere.
      redirect: "manual",
      signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((error: unknown) => Promise.reject(unreachable(this.origin, error, signal)));
    const date = Date.parse(response.headers.get("Date") ?? "");
    if (!Number.isNaN(date)) this.#aheadMs = date - Date.now();
    if (response.ok) return response;
    if (response.status >= 300 && response.status < 400) throw redirected(response, this.origin);
    throw problemOf(response.status, await textOf(response).catch(() => ""), response.headers);
  }

  async #read<Schema extends z.ZodType>(response: Response, answer: Schema): Promise<z.output<Schema>> {
    const body = parseOrNothing(await textOf(response));
    const parsed = answer.safeParse(body);
    if (!parsed.success) throw notKinora(`Its answer is not as expected: ${z.prettifyError(parsed.error)}`);
    return parsed.data;
  }
}

/** The text of an answer. A server that sends more than any answer has is none of ours: it is cut off. */
async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES) throw notKinora(`Its answer has more than ${ANSWER_BYTES >> 20} MiB.`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function cookieOf(response: Response): string | null {
  const pairs = response.headers.getSetCookie().map((cookie) => cookie.split(";")[0] ?? "");
  return pairs.find((pair) => pair.startsWith(`${SESSION_COOKIE}=`) && !pair.endsWith("=")) ?? null;
}

export const notSignedIn = (origin: string) =>
  new ClientError("not-signed-in", `You are not signed in to ${origin}.`, {
    exit: EXIT.notSignedIn,
    hint: `kinora login --server ${origin}`,
  });

function unreachable(origin: string, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted && !(signal.reason instanceof DOMException && signal.reason.name === "TimeoutError")) return error;
  const why = signal.aborted ? `It has not answered in ${ANSWER_MS / 1000} s.` : reasonOf(error);
  return new ClientError("server-unreachable", `Nothing answers at ${origin}. ${why}`.trim(), {
    exit: EXIT.unreachable,
    hint: "Does Kinora run there? --server names another address.",
    cause: error,
  });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const code = "code" in error ? String(error.code) : "";
  return /CERT|SSL|TLS/i.test(code) ? `Its certificate is not to be trusted (${code}).` : code;
}

function redirected(response: Response, origin: string): ClientError {
  const to = URL.parse(response.headers.get("Location") ?? "", origin)?.origin ?? "another address";
  return new ClientError("redirected", `${origin} sends us on to ${to}.`, {
    exit: EXIT.unreachable,
    hint: `Use that address if you trust it: --server ${to}`,
    status: response.status,
  });
}
