import type { RtpTrack } from "./rtp-tracks.ts";

/** What a session description says beside what the tracks are. */
export interface SessionDescriptionOptions {
  /** Any text; line ends and control characters are taken out, an empty one is `-`. */
  readonly name: string;
  /** Digits that tell this session from others of the same server. */
  readonly sessionId: string;
  readonly tracks: readonly RtpTrack[];
  readonly durationSeconds: number;
  /** IP address of the sender, for `o=`. */
  readonly originAddress: string;
  /** IP address that packets are sent to, for `c=`; of RTSP the unspecified one (`0.0.0.0`, `::`). */
  readonly connectionAddress: string;
  /** RTSP: what `a=control` says of a track, relative to `Content-Base`. Without it there is no `a=control`. */
  readonly controlOf?: (track: RtpTrack) => string;
  /** RTP push: the port that a track is sent to; of RTSP there is none: 0. */
  readonly portOf?: (track: RtpTrack) => number;
}

/** Players cut names that are longer, or refuse them. */
const maxNameLength = 200;

/** A session description (RFC 8866) with `a=range:npt=0-…` (RFC 2326 appendix C), lines end with CRLF. */
export function sessionDescription(options: SessionDescriptionOptions): string {
  const { name, sessionId, tracks, durationSeconds, originAddress, connectionAddress, controlOf } = options;
  const lines = [
    "v=0",
    `o=- ${digits(sessionId)} 1 IN ${address(originAddress)}`,
    `s=${text(name)}`,
    `c=IN ${address(connectionAddress)}`,
    "t=0 0",
    "a=tool:kinora",
    ...(controlOf ? ["a=control:*"] : []),
    `a=range:npt=0-${durationSeconds.toFixed(3)}`,
    ...tracks.flatMap((track) => mediaLines(track, options)),
  ];
  return lines.map((line) => `${line}\r\n`).join("");
}

function mediaLines(track: RtpTrack, { controlOf, portOf }: SessionDescriptionOptions): string[] {
  return [
    `m=${track.media} ${portOf?.(track) ?? 0} RTP/AVP ${track.payloadType}`,
    ...track.attributes,
    ...(controlOf ? [`a=control:${controlOf(track)}`] : []),
  ];
}

const digits = (id: string) => id.replace(/\D/g, "") || "0";

/** With its type, as `o=` and `c=` have it (sections 5.2 and 5.7); only characters that addresses have. */
function address(told: string): string {
  const safe = told.replace(/%.*$/, "").replace(/[^0-9A-Fa-f.:]/g, "");
  return `${safe.includes(":") ? "IP6" : "IP4"} ${safe}`;
}

/** One line without control characters (section 5): whatever a title is called, it adds no line. */
function text(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  const line = name.replace(/[\u0000-\u001f\u007f\u0085\u2028\u2029]+/g, " ").trim();
  return [...line].slice(0, maxNameLength).join("") || "-";
}
