import { z } from "zod";
import type { ForwardedRequest } from "../identity/forward-proof.ts";
import type { HttpBindings } from "./env.ts";

/** Proves that main sent this request on, to whom and when: see `forward-proof.ts`. */
export const FORWARDED_HEADER = "Kinora-Forwarded";
/** What main knows of the client, as JSON. Counts only beside a proof. */
export const CLIENT_HEADER = "Kinora-Client";
/** Marks the answer of an instance that has done nothing: another one was meant, or it cannot tell who asks. */
export const WRONG_INSTANCE_HEADER = "Kinora-Wrong-Instance";

const client = z.strictObject({
  clientAddress: z.string(),
  behindUnknownProxy: z.boolean(),
  secure: z.boolean(),
  origin: z.string(),
});
export type ForwardedClient = z.infer<typeof client>;

/** What goes into `CLIENT_HEADER`. */
export function encodeClient({ clientAddress, behindUnknownProxy, secure, origin }: HttpBindings): string {
  return JSON.stringify({ clientAddress, behindUnknownProxy, secure, origin } satisfies ForwardedClient);
}

/** What a proven main says of the client; null when it is not what main writes. */
export function readClient(header: string | null): ForwardedClient | null {
  try {
    return client.parse(JSON.parse(header ?? ""));
  } catch {
    return null;
  }
}

/** Finds out whether a request that claims to come from main does. */
export interface ForwardTrust {
  /**
   * `here`: it does, just now, and is meant for this instance. `elsewhere`: it does, and is meant for another. `unknown`: that
   * cannot be told right now, or it did so too long ago.
   */
  check(proof: string, request: ForwardedRequest): Promise<"here" | "elsewhere" | "unknown" | "no">;
}

/** The part of a request that a proof covers, as main sends it and as its receiver sees it. */
export function provenPart(method: string, url: URL, client: string | null): ForwardedRequest {
  return { method, target: `${url.pathname}${url.search}`, client: client ?? "" };
}
