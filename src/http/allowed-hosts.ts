import { isIP } from "node:net";
import { hostname } from "node:os";
import { ProblemError } from "../errors.ts";

export interface HostRules {
  /** Whether only this machine reaches the listener: its names on the network mean nothing there. */
  readonly loopbackOnly: boolean;
  /** Origin of `publicUrl`; null when not set. */
  readonly publicOrigin: string | null;
  /** Further names, and `*.name` for all below a name. */
  readonly allowedHosts: readonly string[];
  /** This machine's name; the system's by default. */
  readonly machineName?: string;
}

/** 421 `wrong-host`: the request names a host that is not Kinora's (RFC 9110 section 15.5.20). */
export class WrongHostError extends ProblemError {
  constructor(host: string) {
    const shown = host.slice(0, 100);
    super(
      "wrong-host",
      `Kinora does not answer to the name "${shown}". If it is Kinora's, whoever runs it adds it to the settings: as publicUrl (KINORA_PUBLIC_URL), or in allowedHosts (KINORA_ALLOWED_HOSTS).`,
      { status: 421 },
    );
  }
}

/**
 * The names that Kinora answers to. A page of another site can have its own name point to this machine (DNS
 * rebinding); the browser then takes Kinora for that site, and only the `Host` tells. An address is never such a name.
 */
export class AllowedHosts {
  readonly #names: ReadonlySet<string>;
  readonly #suffixes: readonly string[];

  constructor({ loopbackOnly, publicOrigin, allowedHosts, machineName = hostname() }: HostRules) {
    const publicName = publicOrigin === null ? [] : [new URL(publicOrigin).hostname];
    const machine = loopbackOnly ? [] : namesOfMachine(machineName);
    const listed = allowedHosts.map((name) => name.toLowerCase());
    const exact = listed.filter((name) => !name.startsWith("*."));
    this.#names = new Set(["localhost", ...publicName, ...machine, ...exact].map(withoutDot));
    this.#suffixes = [".localhost", ...listed.filter((name) => name.startsWith("*.")).map((name) => name.slice(1))];
  }

  /** `WrongHostError` unless every host of these `Host` header values, with or without port, is Kinora's. */
  require(hosts: readonly string[]): void {
    for (const host of hosts) if (!this.#accepts(host)) throw new WrongHostError(host);
  }

  #accepts(host: string): boolean {
    const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::\d{1,5})?$/i.exec(host.trim());
    if (!match) return false;
    const [, v6, text = ""] = match;
    if (v6 !== undefined) return isIP(v6) === 6;
    const name = withoutDot(text.toLowerCase());
    return isIP(name) === 4 || this.#names.has(name) || this.#suffixes.some((suffix) => name.endsWith(suffix));
  }
}

/**
 * The hosts a request names: its `Host`, and from a trusted proxy those it says the client named (RFC 7239
 * section 5.3 and `X-Forwarded-Host`). No browser leaves `Host` out, so a request without one is nobody's trick.
 */
export function hostsOf(headers: Headers, fromTrustedProxy: boolean): string[] {
  const host = headers.get("Host");
  const named = host === null ? [] : [host];
  if (!fromTrustedProxy) return named;
  const forwarded = [...(headers.get("Forwarded") ?? "").matchAll(/\bhost=(?:"([^"]*)"|([^;,\s]+))/gi)];
  return [
    ...named,
    ...(headers.get("X-Forwarded-Host") ?? "").split(",").filter((part) => part.trim() !== ""),
    ...forwarded.map(([, quoted, plain]) => quoted ?? plain ?? ""),
  ];
}

/** `nas.example.org` is also `nas` and `nas.local` (multicast DNS). */
function namesOfMachine(name: string): string[] {
  const full = name.toLowerCase();
  const [first = ""] = full.split(".");
  return first === "" ? [] : [full, first, `${first}.local`];
}

const withoutDot = (name: string) => name.replace(/\.$/, "");
