import type { ApiError } from "../api.ts";

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 15_000;
/** How often in a row a server may say that something broke in it before that is believed. */
const MOST_SERVER_ERRORS = 5;

/** What passes by itself: no answer (0), a proxy without its server, a lock or conflict (tus core), too many requests. */
const passing = new Set([0, 409, 423, 429, 502, 503, 504]);
/** 501 stays so; a full disk needs somebody. */
const lasting = new Set([501, 507]);

/** Milliseconds to wait before an attempt: 1 s, 2 s, 4 s … 15 s, or what the server asks for. `failures` begins at 1. */
export function retryDelayMs(failures: number, retryAfterSeconds: number | null = null): number {
  const delay = Math.min(FIRST_DELAY_MS * 2 ** (failures - 1), LONGEST_DELAY_MS);
  return Math.max(delay, (retryAfterSeconds ?? 0) * 1000);
}

/** Whether trying again by itself can help after so many failures in a row. */
export function mayRetry({ status }: Pick<ApiError, "status">, failures: number): boolean {
  if (passing.has(status)) return true;
  return status >= 500 && !lasting.has(status) && failures <= MOST_SERVER_ERRORS;
}

/** Waits; ends early when the browser is online again. False when it was aborted. */
export function waitForRetry(ms: number, signal: AbortSignal, events: EventTarget = globalThis): Promise<boolean> {
  return new Promise((resolve) => {
    const listening = new AbortController();
    const end = (result: boolean) => {
      clearTimeout(timer);
      listening.abort();
      resolve(result);
    };
    const timer = setTimeout(() => end(true), ms);
    events.addEventListener("online", () => end(true), { signal: listening.signal });
    signal.addEventListener("abort", () => end(false), { signal: listening.signal });
    if (signal.aborted) end(false);
  });
}
