import { rtpTracksOf } from "../media/rtp/rtp-tracks.ts";
import { sessionDescription } from "../media/rtp/sdp.ts";
import type { RtspConnection } from "./connection.ts";
import { datagrams, interleaved } from "./delivery.ts";
import { RtspError } from "./errors.ts";
import type { RtspRequest, RtspResponse } from "./message.ts";
import { parseRange } from "./range-header.ts";
import { parseRequestUrl, type RequestTarget } from "./request-url.ts";
import { parseScale } from "./scale-header.ts";
import { chooseTransport, type RtspSession, trackOf } from "./session.ts";
import type { OpenTitle } from "./titles.ts";
import { type Pair, parseTransport, type TransportSpec } from "./transport-header.ts";

/** A request with what its URL says. */
interface Asked {
  readonly connection: RtspConnection;
  readonly request: RtspRequest;
  readonly target: RequestTarget;
}

type Method = (asked: Asked) => RtspResponse | Promise<RtspResponse>;

const methods: Readonly<Record<string, Method>> = {
  OPTIONS: options,
  DESCRIBE: describe,
  SETUP: setUp,
  PLAY: play,
  PAUSE: pause,
  GET_PARAMETER: parameter,
  SET_PARAMETER: parameter,
  TEARDOWN: tearDown,
};
const PUBLIC = Object.keys(methods).join(", ");
/** Methods of RFC 2326 that nothing here takes. */
const KNOWN = ["ANNOUNCE", "RECORD", "REDIRECT"];
const SDP = "application/sdp";
const MAX_CHANNEL = 255;

/** Answers a request by its method (RFC 2326 section 10). Refuses with an `RtspError` or a `ProblemError`. */
export async function answerRequest(connection: RtspConnection, request: RtspRequest): Promise<RtspResponse> {
  const { method, headers } = request;
  const answer = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (!answer) {
    const status = KNOWN.includes(method) ? 405 : 501;
    throw new RtspError(status, "a method that is not offered", { headers: { Allow: PUBLIC, Public: PUBLIC } });
  }
  const required = [headers.get("Require"), headers.get("Proxy-Require")].filter((option) => option !== null);
  if (required.length > 0) {
    throw new RtspError(551, "an extension is required", { headers: { Unsupported: required.join(", ") } });
  }
  return answer({ connection, request, target: parseRequestUrl(request.url) });
}

/** RFC 2326 section 10.1. With a session it keeps it alive. */
function options({ connection, request }: Asked): RtspResponse {
  const session = namedSession(connection, request);
  return { status: 200, headers: { ...sessionHeader(connection, session), Public: PUBLIC } };
}

/** RFC 2326 section 10.2. Authorises the connection: what clients send afterwards need not carry the grant. */
async function describe({ connection, request, target }: Asked): Promise<RtspResponse> {
  const accept = request.headers.get("Accept");
  if (accept !== null && !/application\/(sdp|\*)|\*\/\*/i.test(accept)) throw new RtspError(406, "not SDP");
  const title = await connection.authorise(target, request);
  return {
    status: 200,
    headers: {
      "Content-Type": SDP,
      // Never with the query: it would be repeated in every request, and in logs.
      "Content-Base": `${target.base}/`,
      "Cache-Control": "no-store",
    },
    body: descriptionOf(connection, title),
  };
}

function descriptionOf(connection: RtspConnection, title: OpenTitle): string {
  const { tracks, leftOut } = rtpTracksOf(title.original.presentation);
  for (const { trackId, codec, reason } of leftOut) {
    connection.log.info({ titleId: title.titleId, trackId, codec, reason }, "RTSP leaves out a track");
  }
  if (tracks.length === 0) throw new RtspError(415, "no track of this title can be sent over RTP");
  const unspecified = connection.address.includes(":") ? "::" : "0.0.0.0";
  return sessionDescription({
    name: title.name,
    sessionId: String(Date.now()),
    tracks,
    durationSeconds: title.durationSeconds,
    originAddress: connection.localAddress,
    connectionAddress: unspecified,
    controlOf: ({ trackId }) => `trackID=${trackId}`,
  });
}

/** RFC 2326 section 10.4. */
async function setUp({ connection, request, target }: Asked): Promise<RtspResponse> {
  const named = namedSession(connection, request);
  const title =
    named && !target.grant && named.title.titleId === target.titleId
      ? named.title
      : await connection.authorise(target, request);
  if (named && named.title.titleId !== title.titleId) throw new RtspError(459, "a session has one title");
  const track = trackOf(title, trackNumber(title, target));
  const peer = connection.address;
  const spec = chooseTransport(
    parseTransport(request.headers.get("Transport") ?? ""),
    peer,
    named?.delivery.over ?? null,
  );
  if (spec.over === "udp" && Object.values(spec.clientPorts).some((port) => isOwnPort(connection, port)))
    throw new RtspError(461, "a port that Kinora sends from");
  const session = named ?? openSession(connection, title, spec);
  try {
    const transport = session.setUp(track, wayOf(connection, session, track.trackId, spec));
    return { status: 200, headers: { ...sessionHeader(connection, session), Transport: transport } };
  } catch (error) {
    if (!named) connection.server.endSession(session, "its first track could not be set up");
    throw error;
  }
}

const isOwnPort = ({ server, address }: RtspConnection, port: number) => server.engine.ownPorts.has(address, port);

/** The track that is set up; without one in the URL the only one there is. */
function trackNumber(title: OpenTitle, { track }: RequestTarget): number {
  if (track !== null) return track;
  const { tracks } = rtpTracksOf(title.original.presentation);
  const [only, second] = tracks;
  if (!only || second) throw new RtspError(459, "all tracks are set up at once");
  return only.trackId;
}

function openSession(connection: RtspConnection, title: OpenTitle, spec: TransportSpec): RtspSession {
  const { server, address, writer } = connection;
  const log = connection.log.child({ titleId: title.titleId, ...title.viewer });
  const { memory } = server.engine;
  const sent = (bytes: number) => server.countSent("udp", bytes);
  const delivery =
    spec.over === "tcp"
      ? interleaved(writer)
      : datagrams({ ports: server.udp, address, onRtcp: (packet) => session.handleRtcp(packet), memory, sent });
  const session: RtspSession = server.openSession(connection, { title, delivery, log });
  return session;
}

/** The channels of a track: over TCP those the client asks for unless they are taken, else free ones. */
function wayOf(connection: RtspConnection, session: RtspSession, trackId: number, spec: TransportSpec) {
  const others = [...connection.sessions]
    .filter((one) => one === session || (spec.over === "tcp" && one.delivery.over === "tcp"))
    .flatMap((one) => one.tracks.filter((track) => one !== session || track.trackId !== trackId));
  const taken = new Set(others.flatMap(({ channels }) => [channels.rtp, channels.rtcp]));
  const isFree = ({ rtp, rtcp }: Pair) => !taken.has(rtp) && !taken.has(rtcp);
  if (spec.over === "tcp" && spec.channels && isFree(spec.channels)) {
    return { channels: spec.channels, clientPorts: null };
  }
  for (let rtp = 0; rtp < MAX_CHANNEL; rtp += 2) {
    const channels = { rtp, rtcp: rtp + 1 };
    if (isFree(channels)) return { channels, clientPorts: spec.over === "udp" ? spec.clientPorts : null };
  }
  throw new RtspError(461, "no channel is free");
}

/** RFC 2326 section 10.5: plays, goes on, and while it plays seeks. */
async function play({ connection, request, target }: Asked): Promise<RtspResponse> {
  const session = requireSession(connection, request, target);
  const scale = request.headers.get("Scale");
  const order = { range: parseRange(request.headers.get("Range")), scale: scale === null ? null : parseScale(scale) };
  const headers = await session.play(order, (trackId) => `${target.base}/trackID=${trackId}`);
  return { status: 200, headers: { ...sessionHeader(connection, session), ...headers } };
}

/** RFC 2326 section 10.6. At once, whatever `Range` says. */
function pause({ connection, request, target }: Asked): RtspResponse {
  const session = requireSession(connection, request, target);
  return { status: 200, headers: { ...sessionHeader(connection, session), Range: session.halt() } };
}

/** RFC 2326 sections 10.8 and 10.9: without a body a sign of life; there are no parameters. */
function parameter({ connection, request }: Asked): RtspResponse {
  const session = namedSession(connection, request);
  const names = new TextDecoder("latin1").decode(request.body).trim();
  if (names !== "")
    throw new RtspError(451, "there are no parameters", { headers: sessionHeader(connection, session) });
  return { status: 200, headers: sessionHeader(connection, session) };
}

/** RFC 2326 section 10.7. */
function tearDown({ connection, request, target }: Asked): RtspResponse {
  const session = requireSession(connection, request, target);
  connection.server.endSession(session, "the client ended it");
  return { status: 200 };
}

/** The session that a request names; null when it names none, 454 when there is none of that name for this client. */
function namedSession(connection: RtspConnection, request: RtspRequest): RtspSession | null {
  const header = request.headers.get("Session");
  if (header === null) return null;
  const [id = ""] = header.split(";");
  const session = connection.server.findSession(connection, id.trim());
  if (!session) throw new RtspError(454, "there is no such session");
  session.touch();
  return session;
}

/** The session of a request about all of its tracks. 454 without, 460 for one track of several. */
function requireSession(connection: RtspConnection, request: RtspRequest, target: RequestTarget): RtspSession {
  const session = namedSession(connection, request);
  if (!session) throw new RtspError(454, "a request without a session");
  if (target.titleId !== null && target.titleId !== session.title.titleId)
    throw new RtspError(454, "another title's session");
  if (target.track !== null && session.tracks.length > 1) throw new RtspError(460, "one track of several");
  if (target.track !== null && session.tracks[0]?.trackId !== target.track) throw new RtspError(404, "not its track");
  return session;
}

/** `Session` of an answer, with how long it lives without a sign of life. */
function sessionHeader({ server }: RtspConnection, session: RtspSession | null): Record<string, string> {
  if (!session) return {};
  const timeout = Math.max(1, Math.floor(server.limits.sessionTimeoutMs / 1000));
  return { Session: `${session.id};timeout=${timeout}` };
}
