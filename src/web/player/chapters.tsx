import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import { call } from "../api.ts";
import { formatDuration } from "../format.ts";
import { carrying } from "../grant.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/watch.ts";

interface Chapter {
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** Empty where nobody named it. */
  readonly name: string;
}

interface ChaptersProps {
  readonly video: RefObject<HTMLVideoElement | null>;
  readonly titleId: string;
  readonly grant: string;
}

/** The chapters of the title that plays, to jump to; nothing where there are none. */
export function Chapters({ video, titleId, grant }: ChaptersProps) {
  const chapters = useChapters(video, titleId, grant);
  const [current, setCurrent] = useState(-1);
  useEffect(() => {
    const element = video.current;
    if (!element || chapters.length === 0) return;
    const update = () => setCurrent(chapters.findLastIndex(({ startSeconds }) => startSeconds <= element.currentTime));
    update();
    for (const event of ["timeupdate", "seeking"]) element.addEventListener(event, update);
    return () => {
      for (const event of ["timeupdate", "seeking"]) element.removeEventListener(event, update);
    };
  }, [chapters]);
  if (chapters.length === 0) return null;
  return (
    <nav class="chapters" aria-label={t("player.chapters")}>
      <ol>
        {chapters.map(({ startSeconds, name }, index) => (
          <li key={startSeconds}>
            <button
              type="button"
              aria-current={index === current}
              onClick={() => {
                if (video.current) video.current.currentTime = startSeconds;
              }}
            >
              <span class="meta">{formatDuration(startSeconds)}</span>
              {name || t("player.chapter", { number: index + 1 })}
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}

/** Asks for the chapters once the first picture does not have to wait for that. */
function useChapters(video: RefObject<HTMLVideoElement | null>, titleId: string, grant: string): readonly Chapter[] {
  const [chapters, setChapters] = useState<readonly Chapter[]>([]);
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    const ending = new AbortController();
    const load = async () => {
      const path = carrying(`/stream/${titleId}/chapters`, grant);
      const options = { signal: ending.signal, anonymous: true };
      const { items } = await call<{ items: Chapter[] }>("GET", path, undefined, options);
      setChapters(items);
      markOnTimeLine(element, items);
    };
    // The video plays without chapters all the same.
    const start = () => void load().catch(() => undefined);
    setChapters([]);
    element.addEventListener("loadeddata", start, { once: true, signal: ending.signal });
    return () => {
      ending.abort();
      markOnTimeLine(element, []);
    };
  }, [titleId]);
  return chapters;
}

/** Chapters as a text track of their own, which the time line of the controls reads. */
function markOnTimeLine(video: HTMLVideoElement, chapters: readonly Chapter[]): void {
  const present = [...video.textTracks].find(({ kind }) => kind === "chapters");
  if (!present && chapters.length === 0) return;
  const track = present ?? video.addTextTrack("chapters");
  track.mode = "hidden";
  for (const cue of [...(track.cues ?? [])]) track.removeCue(cue);
  for (const { startSeconds, endSeconds, name } of chapters) track.addCue(new VTTCue(startSeconds, endSeconds, name));
  // The controls look again when a mode changes.
  video.textTracks.dispatchEvent(new Event("change"));
}
