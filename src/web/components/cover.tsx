import type { Title } from "../../catalog/contract.ts";
import { formatDuration, hueOf, initialsOf } from "../format.ts";

type Covered = Pick<Title, "id" | "name" | "video" | "durationSeconds"> & {
  readonly mine?: { readonly positionSeconds: number | null; readonly watched: boolean } | null;
};

/**
 * Stands for the picture: initials set large on a colour of the title's own, its lines and length, and how far I have
 * watched. Hidden from screen readers, which read the same beside it.
 */
export function Cover({ title }: { title: Covered }) {
  const lines = title.video ? Math.min(title.video.width, title.video.height) : null;
  const share = watchedShare(title);
  return (
    <span class="cover" style={coverStyle(title.id)} aria-hidden="true">
      <span class="cover-initials">{initialsOf(title.name)}</span>
      {lines !== null && <span class="cover-lines">{lines}p</span>}
      {title.durationSeconds !== null && <span class="cover-length">{formatDuration(title.durationSeconds)}</span>}
      {share !== null && (
        <span class="cover-watched">
          <span style={{ "--share": String(share) }} />
        </span>
      )}
    </span>
  );
}

/** The colours of a cover, always the same for one id. */
export function coverStyle(id: string): Record<string, string> {
  const hue = hueOf(id);
  return { "--hue": String(hue), "--turn": `${(hue * 7) % 360}deg`, "--at": `${20 + ((hue * 13) % 60)}%` };
}

/** From 0 to 1; null when it was not begun. */
export function watchedShare({ mine, durationSeconds }: Pick<Covered, "mine" | "durationSeconds">): number | null {
  if (mine?.watched) return 1;
  if (!mine?.positionSeconds || !durationSeconds) return null;
  return Math.min(1, mine.positionSeconds / durationSeconds);
}
