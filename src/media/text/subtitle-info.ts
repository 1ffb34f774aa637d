/** What is known of subtitles, wherever they are. */
export interface TextInfo {
  /** BCP 47 tag, null when undetermined. */
  readonly language: string | null;
  /** The name its author gave it. */
  readonly name: string | null;
  /** To be shown even to those who want no subtitles: what is said in another language. */
  readonly forced: boolean;
  /** To be shown unless somebody chooses otherwise. */
  readonly isDefault: boolean;
  /** Describes sounds as well. */
  readonly forHearingImpaired: boolean;
}

/** What playlists and manifests tell of subtitles. */
export interface SubtitleInfo extends TextInfo {
  /** Names it in URLs, once in a title: its language tag, `en-2` for a second one, `und` where it is not known. */
  readonly key: string;
}

/** The same with a key each: language tags, numbered from 2 where they repeat. */
export function withKeys<T extends { readonly language: string | null }>(
  tracks: readonly T[],
): (T & { key: string })[] {
  const counts = new Map<string, number>();
  return tracks.map((track) => {
    const tag = track.language ?? "und";
    const count = (counts.get(tag.toLowerCase()) ?? 0) + 1;
    counts.set(tag.toLowerCase(), count);
    return { ...track, key: count === 1 ? tag : `${tag}-${count}` };
  });
}
