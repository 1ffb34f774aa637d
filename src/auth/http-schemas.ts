import { z } from "@hono/zod-openapi";
import type { UserRecord } from "./auth-store.ts";
import { role } from "./contract.ts";
import { MAX_PASSWORD_LENGTH } from "./passwords.ts";

/** A user name as it is typed; the result is folded to lower case. */
export const username = z
  .string()
  .transform((name) => name.toLowerCase())
  .pipe(z.string().regex(/^[a-z0-9._-]{2,64}$/, "expected 2 to 64 of the characters a-z 0-9 . _ -"))
  .openapi({ type: "string", pattern: "^[A-Za-z0-9._-]{2,64}$", example: "maria" });

/** New ones have a minimum length too, which `requireGoodPassword` names: an old one may only be wrong. */
export const password = z
  .string()
  .min(1, "expected a password")
  .max(MAX_PASSWORD_LENGTH, `expected at most ${MAX_PASSWORD_LENGTH} characters`)
  .openapi({ format: "password", description: "At least 8 characters." });

/** A one-time code; case, spaces and hyphens do not matter. */
export const code = z.string().min(1).max(100);

export const userSchema = z.object({ id: z.uuid(), username: z.string(), role }).openapi("User");

export const sessionBody = { "application/json": { schema: z.object({ user: userSchema }) } };

/** What the interface shows of a user. */
export function userJson({ id, username, role }: UserRecord) {
  return { id, username, role };
}
