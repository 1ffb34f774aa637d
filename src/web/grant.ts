import { ApiError } from "./api.ts";

/** The link that somebody came by, as a query that addresses carry on; empty without one. */
export function grantOf(query: URLSearchParams): string {
  const grant = query.get("grant");
  return grant ? new URLSearchParams({ grant }).toString() : "";
}

/** Whether a refusal means that the link is over: with one, 401 says nothing of a session. */
export const isLinkOver = (error: unknown, grant: string) =>
  grant !== "" && error instanceof ApiError && error.status === 401;

/** An address with what it carries on: a query, or nothing. */
export function carrying(path: string, ...queries: readonly string[]): string {
  const given = queries.filter(Boolean).join("&");
  return given ? `${path}${path.includes("?") ? "&" : "?"}${given}` : path;
}
