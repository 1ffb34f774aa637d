import { z } from "@hono/zod-openapi";
import type { ZodError } from "zod";
import { InvalidRequestError, ProblemError } from "../errors.ts";
import { expectation } from "./expectation.ts";

/** A problem document (RFC 9457) as every error answer carries it. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string(),
  })
  .openapi("Problem");

const titles: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Not signed in",
  403: "Not allowed",
  404: "Not found",
  405: "Method not allowed",
  409: "Conflict",
  412: "Precondition failed",
  413: "Too large",
  415: "Unsupported media type",
  416: "Range not satisfiable",
  421: "Wrong host",
  422: "Cannot be processed",
  429: "Too many requests",
  500: "Internal error",
  501: "Not implemented",
  503: "Temporarily unavailable",
  507: "Out of storage",
};

/**
 * The response for an error. What is no `ProblemError`, or one of status 500, a mistake of ours,
 * becomes a 500 `internal` that tells nothing of its cause.
 */
export function problemResponse(error: unknown): Response {
  const known =
    error instanceof ProblemError && error.status !== 500
      ? error
      : new ProblemError(
          "internal",
          "Something went wrong in the server. The log has the details under the request id.",
          {
            status: 500,
          },
        );
  const body = {
    ...known.data,
    type: `urn:kinora:problem:${known.code}`,
    title: titles[known.status] ?? "Error",
    status: known.status,
    detail: known.message,
    code: known.code,
  };
  return new Response(JSON.stringify(body), {
    status: known.status,
    headers: { ...known.headers, "Content-Type": "application/problem+json", "Cache-Control": "no-store" },
  });
}

/** 400 `invalid-request` that names each field, what was expected and what came. */
export function invalidRequest(where: string, error: ZodError): InvalidRequestError {
  const fields = error.issues.map((issue) => ({ field: issue.path.join(".") || where, expected: expectation(issue) }));
  const detail = fields.map(({ field, expected }) => `${field}: ${expected}`).join("; ");
  return new InvalidRequestError(`The ${where} is not valid. ${detail}`, { fields });
}
