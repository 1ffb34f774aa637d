import { GRANT_PARAMETER } from "../auth/contract.ts";

/** Where the RTSP server is reached. */
export interface RtspAddress {
  readonly host: string;
  readonly port: number;
}

/** Addresses that all of a machine's networks share: nobody can be sent there. */
const WILDCARDS = new Set(["0.0.0.0", "::", "[::]"]);

/** Addresses that a player is given. A grant stands in the query and nowhere else. */
export class PlayUrls {
  readonly #rtsp: () => RtspAddress;

  /** `rtsp`: where the RTSP server listens, with the real port. */
  constructor(rtsp: () => RtspAddress) {
    this.#rtsp = rtsp;
  }

  /** All of a title under one grant; `origin` is where its user reaches Kinora. */
  of(titleId: string, grant: string, origin: string) {
    const query = `?${GRANT_PARAMETER}=${grant}`;
    const media = `${origin}/stream/${titleId}`;
    return {
      // With the index in front: the simplest players read a file from its start to its end.
      file: `${media}/faststart${query}`,
      hls: `${media}/hls/master.m3u8${query}`,
      dash: `${media}/dash/manifest.mpd${query}`,
      rtsp: `rtsp://${this.#rtspHost(origin)}/${titleId}${query}`,
    };
  }

  #rtspHost(origin: string): string {
    const { host, port } = this.#rtsp();
    const named = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
    return `${WILDCARDS.has(host) ? new URL(origin).hostname : named}:${port}`;
  }
}
