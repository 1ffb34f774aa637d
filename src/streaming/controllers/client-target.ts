import { BlockList, isIP } from "node:net";
import { ForbiddenError } from "../../errors.ts";
import type { HttpBindings } from "../../http/env.ts";

/** Where nobody's client is: this network, multicast and broadcast. */
const nowhere = new BlockList();
nowhere.addSubnet("0.0.0.0", 8, "ipv4");
nowhere.addSubnet("224.0.0.0", 3, "ipv4");
nowhere.addAddress("::", "ipv6");
nowhere.addSubnet("ff00::", 8, "ipv6");

/**
 * The client's own address, where RTP may be sent. `ForbiddenError` when a proxy that is not trusted stands between,
 * which would get the packets in its client's place, or when no client can have the address.
 */
export function ownAddressOf({ clientAddress, behindUnknownProxy }: HttpBindings): string {
  const family = isIP(clientAddress);
  if (family === 0 || nowhere.check(clientAddress, family === 6 ? "ipv6" : "ipv4"))
    throw new ForbiddenError("RTP can only be sent to the address that the request comes from, and this one has none.");
  if (behindUnknownProxy) {
    throw new ForbiddenError(
      "This request came through a proxy that Kinora does not trust, so your own address is not known and RTP cannot be sent to you. Whoever runs Kinora names the proxy in trustedProxies.",
    );
  }
  return clientAddress;
}
