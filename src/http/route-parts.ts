import { z } from "@hono/zod-openapi";
import { problem } from "./problem.ts";

/** For routes that have no query: an unknown parameter is 400. */
export const noQuery = z.strictObject({});

export const idParam = z.object({ id: z.uuid() });

/** An answer with JSON. */
export const json = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { "application/json": { schema } },
});

/** An answer that is a problem document. */
export const refused = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: problem } },
});

const descriptions = {
  400: "The request is not valid.",
  401: "Nobody is signed in, or the credential does not count.",
  403: "Not allowed.",
  404: "There is no such thing.",
  409: "It clashes with what is there.",
  412: "Somebody else has changed it: `changed-meanwhile`.",
  422: "It cannot be done with this file.",
  429: "Too many attempts; `Retry-After` says when the next one is allowed.",
  503: "Temporarily unavailable.",
} as const;

/** The problem documents a route may answer with. */
export function problems<Status extends keyof typeof descriptions>(...statuses: Status[]) {
  const responses: Partial<Record<Status, ReturnType<typeof refused>>> = {};
  for (const status of statuses) responses[status] = refused(descriptions[status]);
  return responses as Record<Status, ReturnType<typeof refused>>;
}
