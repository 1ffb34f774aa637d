import { usageError } from "./errors.ts";

/** Where Kinora listens when nothing is configured. */
export const DEFAULT_SERVER = "http://127.0.0.1:8080";

const isLocal = (hostname: string) =>
  hostname === "localhost" || hostname.startsWith("127.") || hostname === "[::1]" || hostname.endsWith(".localhost");

/**
 * The origin of a server as people write it: `film.example.org` is taken for HTTPS, `192.168.1.5:8080`, `nas` and
 * `localhost` for HTTP. `usage` for anything that is no server's address.
 */
export function serverOrigin(text: string): string {
  const given = text.trim();
  const url = URL.parse(given.includes("://") ? given : `${schemeFor(given)}://${given}`);
  if (!url || !["http:", "https:"].includes(url.protocol) || url.hostname === "")
    throw usageError(
      `${text} is no address of a server.`,
      "Such as http://127.0.0.1:8080 or https://film.example.org.",
    );
  if (url.username || url.password) throw usageError("The address must not have a name or password in it.");
  if (url.pathname !== "/" || url.search || url.hash)
    throw usageError(`The address ends after the host: ${url.origin}.`);
  return url.origin;
}

function schemeFor(text: string): "http" | "https" {
  const url = URL.parse(`http://${text}`);
  if (url?.port !== "" || text.includes(":")) return "http";
  const isName = url.hostname.includes(".") && !/^[\d.]+$/.test(url.hostname) && !url.hostname.endsWith(".local");
  return isName && !isLocal(url.hostname) ? "https" : "http";
}

/** Whether what is sent there can be read on the way. */
export function isReadableOnTheWay(origin: string): boolean {
  const url = new URL(origin);
  return url.protocol === "http:" && !isLocal(url.hostname);
}
