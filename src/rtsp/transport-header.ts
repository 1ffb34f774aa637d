/** How one track is to be sent, as a client asks for it in `Transport` (RFC 2326 section 12.39). */
export type TransportSpec =
  | { readonly over: "tcp" /** Null: the server chooses. */; readonly channels: Pair | null }
  | {
      readonly over: "udp";
      readonly clientPorts: Pair /** Where to, if it says so. */;
      readonly destination: string | null;
    };

/** A number for RTP and one for RTCP. */
export interface Pair {
  readonly rtp: number;
  readonly rtcp: number;
}

/** Ports below this belong to services of a system, to which nothing is sent. */
const FIRST_CLIENT_PORT = 1024;
/** A client names a few ways to send. */
const MAX_SPECS = 8;

/** The ways it names that can be done here, in the client's order of preference. */
export function parseTransport(value: string): TransportSpec[] {
  return value
    .split(",")
    .slice(0, MAX_SPECS)
    .flatMap((spec) => parseSpec(spec) ?? []);
}

function parseSpec(text: string): TransportSpec | null {
  const [protocol = "", ...fields] = text.split(";").map((field) => field.trim());
  const parameters = new Map<string, string>();
  for (const field of fields) {
    const [name = "", value = ""] = field.split("=", 2);
    parameters.set(name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/, "$1"));
  }
  // PLAY is the default of `mode`, multicast that of how it is sent, which nobody means who names ports.
  if (!/^play$/i.test(parameters.get("mode") ?? "PLAY") || parameters.has("multicast")) return null;
  switch (protocol.toUpperCase()) {
    case "RTP/AVP/TCP":
      return tcpSpec(parameters);
    case "RTP/AVP":
    case "RTP/AVP/UDP":
      return udpSpec(parameters);
    default:
      return null;
  }
}

function tcpSpec(parameters: ReadonlyMap<string, string>): TransportSpec | null {
  const text = parameters.get("interleaved");
  if (text === undefined) return { over: "tcp", channels: null };
  const channels = parsePair(text, 255);
  return channels && { over: "tcp", channels };
}

function udpSpec(parameters: ReadonlyMap<string, string>): TransportSpec | null {
  const text = parameters.get("client_port") ?? "";
  const clientPorts = parsePair(text, 65_535);
  // RFC 3550 section 11: one number is the even one of a pair. The next lower of an odd one was not named: nothing goes there.
  if (!text.includes("-") && clientPorts && clientPorts.rtp % 2 !== 0) return null;
  if (!clientPorts || clientPorts.rtp < FIRST_CLIENT_PORT || clientPorts.rtcp < FIRST_CLIENT_PORT) return null;
  return { over: "udp", clientPorts, destination: parameters.get("destination") || null };
}

/** `5000-5001`, or `5000` for it and the next one. */
function parsePair(text: string, max: number): Pair | null {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (!match) return null;
  const rtp = Number(match[1]);
  const rtcp = match[2] === undefined ? rtp + 1 : Number(match[2]);
  return rtp <= max && rtcp <= max && rtp !== rtcp ? { rtp, rtcp } : null;
}
