import { type Cue, cuesBetween } from "../media/text/cue.ts";
import { type SubtitleInfo, withKeys } from "../media/text/subtitle-info.ts";
import type { MovieCache } from "./movie-cache.ts";
import { type LocatedOriginal, withLocated } from "./original.ts";
import type { Playable } from "./playback.ts";
import type { Sidecars } from "./sidecars.ts";

/** Subtitles of a title, in its file or beside it. */
export interface Subtitle extends SubtitleInfo {
  /** Changes whenever its cues may, unless the original itself changes. */
  readonly state: string;
  /** The cues that are shown at some moment between two times, in milliseconds. */
  cues(fromMs: number, toMs: number): Promise<readonly Cue[]>;
}

/** Leads to all subtitles of a title. */
export class Subtitles {
  readonly #movies: MovieCache;
  readonly #sidecars: Sidecars;

  constructor(movies: MovieCache, sidecars: Sidecars) {
    this.#movies = movies;
    this.#sidecars = sidecars;
  }

  /** Those in the file first. Throws `MediaError` when the file cannot be read. */
  async list({ access, source }: Playable, file: LocatedOriginal): Promise<Subtitle[]> {
    const video = await this.#movies.get(source.id, file);
    const inside = (video?.texts ?? []).map((text) => ({
      ...infoOf(text),
      state: `track ${text.id}`,
      cues: (fromMs: number, toMs: number) =>
        withLocated(file, async (bytes) => (await video?.cues(bytes, text.id, fromMs, toMs)) ?? []),
    }));
    // A source with equal bytes may stand in for this title's own: what lies beside it was never shared with its viewers.
    const beside = source.id === access.id ? await this.#sidecars.of(source) : [];
    const read = beside.map((sidecar) => ({
      ...infoOf(sidecar),
      state: [sidecar.file.path, sidecar.file.size, sidecar.file.mtimeMs].join(" "),
      cues: async (fromMs: number, toMs: number) => cuesBetween(await this.#sidecars.cuesOf(sidecar), fromMs, toMs),
    }));
    return withKeys([...inside, ...read]);
  }
}

const infoOf = ({ language, name, forced, isDefault, forHearingImpaired }: Omit<SubtitleInfo, "key">) => ({
  language,
  name,
  forced,
  isDefault,
  forHearingImpaired,
});
