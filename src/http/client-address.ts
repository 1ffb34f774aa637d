import { BlockList, isIP } from "node:net";

/** Finds the client's address behind proxies that are trusted. */
export class ClientAddresses {
  readonly #trusted = new BlockList();

  /** `trustedProxies`: addresses and CIDR ranges, such as `127.0.0.1` or `10.0.0.0/8`. */
  constructor(trustedProxies: readonly string[]) {
    for (const entry of trustedProxies) {
      const [address = "", prefix] = entry.split("/");
      const family = isIP(address) === 6 ? "ipv6" : "ipv4";
      if (prefix === undefined) this.#trusted.addAddress(address, family);
      else this.#trusted.addSubnet(address, Number(prefix), family);
    }
  }

  /** Whether what this peer says in `X-Forwarded-…` counts. */
  trusts(peer: string): boolean {
    const address = unmap(peer);
    return isIP(address) !== 0 && this.#trusted.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
  }

  /** The nearest address in `X-Forwarded-For` that no trusted proxy has; the peer's own when it is not trusted. */
  of(peer: string, forwardedFor: string | null): string {
    let address = unmap(peer);
    const hops = (forwardedFor ?? "").split(",").map((hop) => hop.trim());
    while (this.trusts(address)) {
      const hop = hops.pop();
      if (!hop || isIP(hop) === 0) break;
      address = unmap(hop);
    }
    return address;
  }
}

/** `::ffff:192.0.2.1` (RFC 4291 section 2.5.5.2) is the IPv4 address in it. */
function unmap(address: string): string {
  return address.startsWith("::ffff:") && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}
