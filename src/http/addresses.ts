import { isIP } from "node:net";
import { networkInterfaces } from "node:os";

const WILDCARDS: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "[::1]" };

/** Base URLs at which a listener can be reached: from this machine first, then over its networks. */
export function reachableAt(host: string, port: number, scheme: "http" | "https" = "http"): string[] {
  const base = (name: string) => `${scheme}://${name}:${port}`;
  const local = WILDCARDS[host];
  if (local === undefined) return [base(isIP(host) === 6 ? `[${host}]` : host)];
  return [base(local), ...lanAddresses().map(base)];
}

/** This machine's IPv4 addresses on its networks. */
export function lanAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === "IPv4" && !internal)
    .map(({ address }) => address);
}
