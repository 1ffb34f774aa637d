import { useEffect, useRef } from "preact/hooks";
import type { Title } from "../../catalog/contract.ts";
import { formatDuration, hueOf, initialsOf } from "../format.ts";
import { carrying, grantOf } from "../grant.ts";
import { here } from "../router.ts";

/** Pictures of fewer lines are what everybody expects. */
const MANY_LINES = 1440;

/**
 * A picture of the video, its length, and how far I have watched. Until it is there, and where there is none, initials
 * set large on a colour of the title's own. Hidden from screen readers, which read the same beside it.
 */
export function Cover({ title }: { title: Title }) {
  const lines = title.video ? Math.min(title.video.width, title.video.height) : 0;
  const share = watchedShare(title);
  return (
    <span class="cover" style={coverStyle(title.id)} aria-hidden="true">
      <span class="cover-initials">{initialsOf(title.name)}</span>
      {title.video && title.availability === "ready" && <Still id={title.id} title={title} />}
      {lines >= MANY_LINES && <span class="cover-lines">{lines >= 2160 ? "4K" : `${lines}p`}</span>}
      {title.durationSeconds !== null && <span class="cover-length">{formatDuration(title.durationSeconds)}</span>}
      {share !== null && (
        <span class="cover-watched">
          <span style={{ "--share": String(share) }} />
        </span>
      )}
    </span>
  );
}

/** The picture of a title: nothing until it was made, and where `title` says that this browser cannot decode it. */
export function Still({ id, title }: { id: string; title?: Title }) {
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    let end: (() => void) | undefined;
    let isHere = true;
    const show = async () => {
      const { showStill, findUndecodable, canPlayType } = await import("./still.ts");
      if (!isHere || !place.current || (title && findUndecodable(title, canPlayType).video)) return;
      end = showStill(place.current, id, carrying(`/stream/${id}/still`, grantOf(here.peek().query)));
    };
    // Without it, the cover is as it was.
    show().catch(() => undefined);
    return () => {
      isHere = false;
      end?.();
    };
  }, [id]);
  return <span class="still" ref={place} />;
}

/** The colours of a cover, always the same for one id. */
export function coverStyle(id: string): Record<string, string> {
  const hue = hueOf(id);
  return { "--hue": String(hue), "--turn": `${(hue * 7) % 360}deg`, "--at": `${20 + ((hue * 13) % 60)}%` };
}

/** From 0 to 1; null when it was not begun. */
function watchedShare({ mine, durationSeconds }: Pick<Title, "mine" | "durationSeconds">): number | null {
  if (mine?.watched) return 1;
  if (!mine?.positionSeconds || !durationSeconds) return null;
  return Math.min(1, mine.positionSeconds / durationSeconds);
}
