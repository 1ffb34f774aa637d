/** How `kinora` ends. Scripts go by these numbers: they are in `docs/client.md` and do not change. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  notSignedIn: 3,
  notFound: 4,
  forbidden: 5,
  unreachable: 6,
  conflict: 7,
  /** Some of several things worked and some did not. */
  partly: 8,
  interrupted: 130,
  terminated: 143,
} as const;

export interface ClientErrorOptions {
  readonly exit?: number;
  /** What helps, as a sentence. */
  readonly hint?: string | undefined;
  /** The HTTP status, when a server said it. */
  readonly status?: number;
  /** Further members of the problem document. */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** Why a command failed: a problem document of the server, or one of the client's own. `code` is stable. */
export class ClientError extends Error {
  readonly code: string;
  readonly exit: number;
  readonly hint: string | undefined;
  readonly status: number | undefined;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(code: string, detail: string, options: ClientErrorOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "ClientError";
    this.code = code;
    this.exit = options.exit ?? EXIT.failure;
    this.hint = options.hint;
    this.status = options.status;
    this.data = options.data ?? {};
  }
}

/** The command was not used as it can be: code `usage`. */
export const usageError = (detail: string, hint?: string) =>
  new ClientError("usage", detail, { exit: EXIT.usage, hint });

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The id of one of `things`, as the server writes it; `THING-not-found` when it is no id at all. */
export function requireId(text: string, thing: "stream" | "link" | "title", hint: string): string {
  const id = text.trim().toLowerCase();
  if (ID.test(id)) return id;
  throw new ClientError(`${thing}-not-found`, `There is no ${thing} with the id ${text}: that is no id.`, {
    exit: EXIT.notFound,
    hint,
  });
}

/** The person stopped it. */
export const interrupted = () => new ClientError("interrupted", "Stopped.", { exit: EXIT.interrupted });

/** Whatever was thrown, as the problem it is told as. */
export function asClientError(error: unknown): ClientError {
  if (error instanceof ClientError) return error;
  if (error instanceof Error && (error.name === "ExitPromptError" || error.name === "AbortPromptError"))
    return interrupted();
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && "code" in error && "syscall" in error)
    return new ClientError("system", message, { cause: error });
  return new ClientError("internal", message || "Something went wrong.", {
    hint: "This looks like a mistake in Kinora.",
    cause: error,
  });
}
