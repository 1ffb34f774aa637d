/** What is asked of a Kinora under load. */
export const kinds = ["segment", "range", "search", "sign-in", "upload"] as const;
export type Kind = (typeof kinds)[number];

/** How long a client waits for an answer, and before it asks again. */
const ANSWER_MS = 15_000;
const AGAIN_MS = 200;
/** After this long a client has lost its patience. */
const PATIENCE_MS = 60_000;

/** How a request failed. */
export interface Failure {
  readonly atMs: number;
  readonly what: string;
  /** A client asks again by itself: 503 with `Retry-After`, or a connection lost before the answer to what may be repeated. */
  readonly isRetried: boolean;
}

/** One thing that a client wanted, with all its attempts. */
export interface Operation {
  readonly kind: Kind;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly failures: readonly Failure[];
  /** It never came to a good end. */
  readonly lost: boolean;
  /** When what had failed was right again, of an operation that goes on after that. */
  readonly rightAgainAtMs?: number;
}

export interface Asked {
  /** Whether it may be sent again when nobody knows if it arrived. */
  readonly isRepeatable: boolean;
  readonly send: (signal: AbortSignal) => Promise<Response>;
  /** Reads the answer; what is wrong with it, or null. */
  readonly read: (answer: Response) => Promise<string | null>;
  /** Before the next attempt. */
  readonly before?: () => Promise<void>;
}

/** Sends until the answer is good or the client's patience ends, as clients do. `give` ends it earlier. `onFailure` hears of each attempt that failed. */
export async function operate(kind: Kind, asked: Asked, give: AbortSignal, onFailure: () => void): Promise<Operation> {
  const startedAtMs = performance.now();
  const failures: Failure[] = [];
  const done = (lost: boolean): Operation => ({ kind, startedAtMs, endedAtMs: performance.now(), failures, lost });
  while (performance.now() - startedAtMs < PATIENCE_MS) {
    const failure = await attempt(asked);
    if (failure === null) return done(false);
    failures.push(failure);
    onFailure();
    if (give.aborted) return done(false);
    await Bun.sleep(AGAIN_MS);
  }
  return done(true);
}

async function attempt({ send, read, isRepeatable, before }: Asked): Promise<Failure | null> {
  const failed = (what: string, isRetried: boolean): Failure => ({ atMs: performance.now(), what, isRetried });
  let answer: Response | null = null;
  try {
    await before?.();
    const signal = AbortSignal.timeout(ANSWER_MS);
    answer = await send(signal);
    if (answer.status === 503) {
      const after = answer.headers.get("Retry-After");
      const text = await answer.text();
      return failed(after === null ? `503 without Retry-After: ${text}` : "503", after !== null);
    }
    const wrong = await read(answer);
    return wrong === null ? null : failed(wrong, false);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    if (answer !== null) return failed(`cut in the answer's middle: ${code}`, false);
    return failed(code, isRepeatable || /ECONNREFUSED|ConnectionRefused/.test(code));
  }
}
