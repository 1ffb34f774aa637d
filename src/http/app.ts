import { OpenAPIHono } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { asKnownFailure, InvalidRequestError, NotFoundError, ProblemError, UnauthorizedError } from "../errors.ts";
import type { HttpContext, HttpEnv } from "./env.ts";
import { logFailure } from "./failure-log.ts";
import { invalidRequest, problemResponse } from "./problem.ts";

const places: Readonly<Record<string, string>> = { json: "body", query: "query", param: "path", header: "headers" };

/**
 * An app whose routes are checked against their schemas and described by them. Invalid input throws
 * `InvalidRequestError`, or `UnauthorizedError` when nobody is signed in and the route is not declared open by
 * `security: []`; every error becomes a problem document.
 */
export function createApp(): OpenAPIHono<HttpEnv> {
  const app = new OpenAPIHono<HttpEnv>({
    defaultHook: (result, c) => {
      if (result.success) return;
      // Whoever must sign in first is told that first, and learns nothing else.
      if (!c.get("principal") && !isOpen(app, c)) throw new UnauthorizedError();
      throw invalidRequest(places[result.target] ?? result.target, result.error);
    },
  });
  app.onError((thrown, c) => {
    const error = thrown instanceof HTTPException ? asProblem(thrown) : asKnownFailure(thrown);
    if (isClientGone(error)) {
      c.get("log")?.debug({ err: error }, "the client left before its body was here");
      return problemResponse(new ClientClosedError());
    }
    const status = error instanceof ProblemError ? error.status : 500;
    const log = c.get("log");
    if (status >= 500 && log) logFailure(log, error, "request failed");
    return problemResponse(error);
  });
  app.notFound(() => problemResponse(new NotFoundError("There is nothing at this address.")));
  return app;
}

/** 499 `client-closed`: the client closed the connection in the middle of its request. Only the log and metrics see it. */
class ClientClosedError extends ProblemError {
  constructor() {
    super("client-closed", "The client closed the connection before its request was complete.", { status: 499 });
  }
}

/** What reading the body of a client that has gone throws. */
const isClientGone = (error: unknown) =>
  error instanceof DOMException && error.name === "AbortError" && /connection was closed/i.test(error.message);

/** Hono's own answers to a body that is no JSON, or of another type. */
function asProblem(error: HTTPException): unknown {
  if (error.status === 400) return new InvalidRequestError(`${error.message}.`);
  if (error.status !== 415) return error;
  return new ProblemError("unsupported-media-type", "The body is not of a media type that this address takes.", {
    status: 415,
  });
}

/** Whether the route of this request takes no credential, as its description says with `security: []`. */
function isOpen(app: OpenAPIHono<HttpEnv>, { req }: HttpContext): boolean {
  return app.openAPIRegistry.definitions.some(
    (definition) =>
      definition.type === "route" &&
      definition.route.security?.length === 0 &&
      definition.route.method === req.method.toLowerCase() &&
      definition.route.path.replace(/\{(\w+)\}/g, ":$1") === req.routePath,
  );
}
