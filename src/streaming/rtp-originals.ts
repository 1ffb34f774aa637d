import type { RtpOriginal } from "../rtp/rtp-stream.ts";
import { NotPackagedError } from "./errors.ts";
import type { MovieCache } from "./movie-cache.ts";
import { withLocated } from "./original.ts";
import type { Playback } from "./playback.ts";
import { reading } from "./reading.ts";
import type { Viewer } from "./title-gate.ts";

/** A title that its viewer may have sent over RTP. */
export interface RtpTitle {
  readonly titleId: string;
  readonly name: string;
  readonly original: RtpOriginal;
}

/** Leads from a title to what the RTP engine sends of it. */
export class RtpOriginals {
  readonly #playback: Playback;
  readonly #movies: MovieCache;

  constructor(playback: Playback, movies: MovieCache) {
    this.#playback = playback;
    this.#movies = movies;
  }

  /**
   * Authorises the viewer and opens the title. Throws `unauthorized`, `wrong-media-id`, `temporary-unavailable` when its
   * bytes are not here, `not-packaged` when its container is not.
   */
  async open(titleId: string, who: Viewer): Promise<RtpTitle> {
    const playable = await this.#playback.find(titleId, who);
    const { access, source } = playable;
    const file = await this.#playback.locate(playable);
    const presentation = await reading(file, () => this.#movies.get(source.id, file));
    if (!presentation) throw new NotPackagedError(source.info);
    const original: RtpOriginal = {
      key: `${source.id}:${file.size}:${file.mtimeMs}`,
      presentation,
      read: (use) => withLocated(file, use),
    };
    return { titleId: access.id, name: access.name, original };
  }
}
