import type { GrantHolder, IssuedGrant, Principal } from "../../auth/contract.ts";
import { TemporaryUnavailableError } from "../../errors.ts";
import type { PlayUrls } from "../play-urls.ts";
import type { RtpOriginals, RtpTitle } from "../rtp-originals.ts";
import type { Clock } from "./clock.ts";
import type { OpenedStream, RtpPush } from "./stream-controller.ts";
import type { StreamRequest } from "./stream-controllers.ts";

/** Where RTP is sent. */
export interface RtpTarget {
  /** IP address of the client. */
  readonly address: string;
  /** Where the first track is sent; even. */
  readonly port: number;
}

/** A request as it came over HTTP. */
export interface OpenRequest extends StreamRequest {
  /** The origin that the client reaches Kinora at. */
  readonly origin: string;
  /** Of RTP, and of nothing else. */
  readonly target: RtpTarget | null;
}

/** Sends RTP to clients. */
export interface RtpPushes {
  open(title: RtpTitle, target: RtpTarget): Promise<{ readonly push: RtpPush; readonly sdp: string }>;
}

export interface StreamOpenerOptions {
  readonly clock: Clock;
  readonly originals: RtpOriginals;
  readonly urls: PlayUrls;
  readonly pushes: RtpPushes;
  readonly issueGrant: (titleId: string, userId: string) => Promise<IssuedGrant>;
  /** How long a stream without a grant may last, in milliseconds. */
  readonly longestMs: number;
}

/** Makes what a controller steers: a URL with a grant for RTSP and HLS, a flow of packets for RTP. */
export class StreamOpener {
  readonly #options: StreamOpenerOptions;

  constructor(options: StreamOpenerOptions) {
    this.#options = options;
  }

  /** Throws what `RtpOriginals.open` does, and what the grant or the sockets cannot be had for. */
  async open(request: OpenRequest): Promise<OpenedStream> {
    const title = await this.#options.originals.open(request.titleId, request.who);
    return request.target ? this.#push(title, request.target) : this.#grant(title, request);
  }

  async #push(title: RtpTitle, target: RtpTarget): Promise<OpenedStream> {
    const { clock, pushes, longestMs } = this.#options;
    const host = target.address.includes(":") ? `[${target.address}]` : target.address;
    return {
      id: Bun.randomUUIDv7(),
      url: `rtp://${host}:${target.port}`,
      ...(await pushes.open(title, target)),
      grant: null,
      title: { id: title.titleId, name: title.name },
      limitAtMs: clock.now() + longestMs,
    };
  }

  async #grant({ titleId, name }: RtpTitle, { who, origin, protocol }: OpenRequest): Promise<OpenedStream> {
    const { urls, issueGrant } = this.#options;
    if (protocol === "rtsp" && !urls.hasRtsp) throw new TemporaryUnavailableError("No RTSP server runs here.");
    const { id, grant, expiresAt } = await issueGrant(titleId, who.userId);
    const { hls, rtsp } = urls.of(titleId, grant, origin);
    return {
      id,
      url: protocol === "rtsp" && rtsp ? rtsp : hls,
      sdp: null,
      grant: holderOf(id, titleId, who, expiresAt),
      push: null,
      title: { id: titleId, name },
      limitAtMs: Date.parse(expiresAt),
    };
  }
}

function holderOf(grantId: string, titleId: string, who: Principal, expiresAt: string): GrantHolder {
  const { userId, role } = who;
  return { grantId, titleId, collectionId: null, kind: "stream", issuer: { userId, role }, expiresAt };
}
