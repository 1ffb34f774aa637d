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
    // Hono's own word for a body that is not of its media type.
    const error =
      thrown instanceof HTTPException && thrown.status === 400 ? new InvalidRequestError(thrown.message) : thrown;
    const status = error instanceof ProblemError ? error.status : 500;
    if (status >= 500) c.get("log")?.error({ err: error }, "request failed");
    return problemResponse(error);
  });
  app.notFound(() => problemResponse(new NotFoundError("There is nothing at this address.")));
  return app;
}
