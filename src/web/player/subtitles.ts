import { call } from "../api.ts";
import { carrying } from "../grant.ts";

interface SubtitleList {
  readonly items: readonly {
    readonly key: string;
    readonly language: string | null;
    readonly name: string;
    readonly isDefault: boolean;
  }[];
}

/** Gives a video that plays a file its subtitles; streams bring their own. The result takes them away. `grant` is the link one came by. */
export function addSubtitles(video: HTMLVideoElement, titleId: string, grant: string): () => void {
  const asking = new AbortController();
  const base = `/stream/${titleId}/subtitles`;
  const add = ({ items }: SubtitleList) => {
    for (const { key, language, name, isDefault } of items) {
      const track = document.createElement("track");
      track.kind = "subtitles";
      track.src = carrying(`${base}/${encodeURIComponent(key)}.vtt`, grant);
      track.label = name;
      track.srclang = language ?? "";
      track.default = isDefault;
      video.append(track);
    }
  };
  // Without subtitles the video plays all the same, and what stops it is said by the player.
  call<SubtitleList>("GET", carrying(base, grant), undefined, { signal: asking.signal, anonymous: true }).then(
    add,
    () => undefined,
  );
  return () => {
    asking.abort();
    for (const track of video.querySelectorAll("track[kind=subtitles]")) track.remove();
  };
}
