import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import { formatDuration } from "../format.ts";

interface TimeDisplayProps {
  readonly video: RefObject<HTMLVideoElement | null>;
  /** As the lists show it; null where only the player can tell. */
  readonly durationSeconds: number | null;
}

const events = ["timeupdate", "seeking", "durationchange", "emptied"] as const;

/** `0:07 / 12:34`, rounded as everywhere else; the controls' own display rounds down. */
export function TimeDisplay({ video, durationSeconds }: TimeDisplayProps) {
  const [text, setText] = useState("");
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    const update = () => {
      const duration = durationSeconds ?? element.duration;
      const current = Number.isFinite(duration) ? Math.min(element.currentTime, duration) : element.currentTime;
      setText(`${formatDuration(current)} / ${formatDuration(duration)}`);
    };
    update();
    for (const event of events) element.addEventListener(event, update);
    return () => {
      for (const event of events) element.removeEventListener(event, update);
    };
  }, [durationSeconds]);
  return <span class="player-time">{text}</span>;
}
