import { AsyncLocalStorage } from "node:async_hooks";
import type { RequestContext } from "./bus.ts";

interface CallInHand extends Pick<RequestContext, "deadlineMs" | "signal"> {
  isAnswered: boolean;
}

const storage = new AsyncLocalStorage<CallInHand | null>();

/**
 * Runs the handler of a call: what it asks of others meanwhile gets no more time than its own caller has left, and ends
 * when that gives up. Work that it leaves behind when it has answered is bound to nothing.
 */
export async function answering<T>({ deadlineMs, signal }: RequestContext, handler: () => Promise<T>): Promise<T> {
  const inHand: CallInHand = { deadlineMs, signal, isAnswered: false };
  try {
    return await storage.run(inHand, handler);
  } finally {
    inHand.isAnswered = true;
  }
}

/** What a call made now is bound to; null outside of handlers. */
export function callInHand(): Pick<RequestContext, "deadlineMs" | "signal"> | null {
  const inHand = storage.getStore();
  return inHand && !inHand.isAnswered ? inHand : null;
}

/** Does work that must not end with the call in hand: several wait for it, or it is to be done whether somebody waits or not. */
export const detached = <T>(work: () => T): T => storage.run(null, work);
