import { z } from "@hono/zod-openapi";
import { problem } from "../http/problem.ts";
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

/** For routes that have no query: an unknown parameter is 400. */
export const noQuery = z.strictObject({});

export const idParam = z.object({ id: z.uuid() });

/** A one-time code; case, spaces and hyphens do not matter. */
export const code = z.string().min(1).max(100);

export const userSchema = z.object({ id: z.uuid(), username: z.string(), role }).openapi("User");

export const sessionBody = { "application/json": { schema: z.object({ user: userSchema }) } };

/** What the interface shows of a user. */
export function userJson({ id, username, role }: UserRecord) {
  return { id, username, role };
}

const descriptions = {
  400: "The request is not valid.",
  401: "Nobody is signed in, or name and password do not belong together.",
  403: "Not allowed.",
  404: "There is no such thing.",
  409: "It clashes with what is there.",
  429: "Too many attempts; `Retry-After` says when the next one is allowed.",
  503: "Temporarily unavailable.",
} as const;

/** The problem documents a route may answer with. */
export function problems<Status extends keyof typeof descriptions>(...statuses: Status[]) {
  const content = { "application/problem+json": { schema: problem } };
  const responses: Partial<Record<Status, { description: string; content: typeof content }>> = {};
  for (const status of statuses) responses[status] = { description: descriptions[status], content };
  return responses as Record<Status, { description: string; content: typeof content }>;
}
