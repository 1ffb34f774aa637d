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
  readonly #rtsp: () => RtspAddress | null;

  /** `rtsp`: where the RTSP server listens, with the real port; null where there is none. */
  constructor(rtsp: () => RtspAddress | null) {
    this.#rtsp = rtsp;
  }

  /** Whether there is an RTSP server to lead to. */
  get hasRtsp(): boolean {
    return this.#rtsp() !== null;
  }

  /** All of a title under one grant, `rtsp` null without that server; `origin` is where its user reaches Kinora. */
  of(titleId: string, grant: string, origin: string) {
    const query = `?${GRANT_PARAMETER}=${grant}`;
    const media = `${origin}/stream/${titleId}`;
    const rtsp = this.#rtsp();
    return {
      // With the index in front: the simplest players read a file from its start to its end.
      file: `${media}/faststart${query}`,
      hls: `${media}/hls/master.m3u8${query}`,
      dash: `${media}/dash/manifest.mpd${query}`,
      page: `${origin}/watch/${titleId}${query}`,
      rtsp: rtsp && `rtsp://${hostOf(rtsp, origin)}/${titleId}${query}`,
    };
  }

  /** The page of a collection under a grant. */
  collectionPage(collectionId: string, grant: string, origin: string): string {
    return `${origin}/collections/${collectionId}?${GRANT_PARAMETER}=${grant}`;
  }
}

function hostOf({ host, port }: RtspAddress, origin: string): string {
  const named = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return `${WILDCARDS.has(host) ? new URL(origin).hostname : named}:${port}`;
}
