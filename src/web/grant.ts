/** The link that somebody came by, as a query that addresses carry on; empty without one. */
export function grantOf(query: URLSearchParams): string {
  const grant = query.get("grant");
  return grant ? new URLSearchParams({ grant }).toString() : "";
}

/** An address with what it carries on: a query, or nothing. */
export function carrying(path: string, ...queries: readonly string[]): string {
  const given = queries.filter(Boolean).join("&");
  return given ? `${path}${path.includes("?") ? "&" : "?"}${given}` : path;
}
