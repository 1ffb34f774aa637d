import { OpenAPIHono } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { InvalidRequestError, NotFoundError, ProblemError } from "../errors.ts";
import type { HttpEnv } from "./env.ts";
import { invalidRequest, problemResponse } from "./problem.ts";

const places: Readonly<Record<string, string>> = { json: "body", query: "query", param: "path", header: "headers" };

/**
 * An app whose routes are checked against their schemas and described by them. Invalid input throws
 * `InvalidRequestError`; every error becomes a problem document.
 */
export function createApp(): OpenAPIHono<HttpEnv> {
  const app = new OpenAPIHono<HttpEnv>({
    defaultHook: (result) => {
      if (!result.success) throw invalidRequest(places[result.target] ?? result.target, result.error);
    },
  });
  app.onError((thrown, c) => {
    const error = thrown instanceof HTTPException ? asProblem(thrown) : thrown;
    const status = error instanceof ProblemError ? error.status : 500;
    if (status >= 500) c.get("log")?.error({ err: error }, "request failed");
    return problemResponse(error);
  });
  app.notFound(() => problemResponse(new NotFoundError("There is nothing at this address.")));
  return app;
}

/** Hono's own answers to a body that is no JSON, or of another type. */
function asProblem(error: HTTPException): unknown {
  if (error.status === 400) return new InvalidRequestError(`${error.message}.`);
  if (error.status !== 415) return error;
  return new ProblemError("unsupported-media-type", "The body is not of a media type that this address takes.", {
    status: 415,
  });
}
