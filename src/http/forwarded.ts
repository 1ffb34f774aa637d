import { z } from "zod";
import type { HttpBindings } from "./env.ts";

/** Proves that main sent the request on, and to whom: `{instance of main} {its key} {instance meant}`. */
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
   * `here`: it does, and is meant for this instance. `elsewhere`: it does, and is meant for another. `unknown`: that
   * cannot be told right now.
   */
  check(claim: string): Promise<"here" | "elsewhere" | "unknown" | "no">;
}
