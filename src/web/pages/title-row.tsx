import { useEffect, useRef } from "preact/hooks";
import type { Title } from "../../catalog/contract.ts";
import { Tags } from "../components/tags.tsx";
import { formatBytes, formatDate, formatDuration } from "../format.ts";

interface TitleRowProps {
  readonly title: Title;
  /** Whether the list holds only my own, so that the owner need not be named. */
  readonly owned: boolean;
  readonly chosen: boolean;
  onChoose(): void;
  onPlay(): void;
  onTag(tag: string): void;
}

/** One title to choose: a radio button with everything about it as its label. */
export function TitleRow({ title, owned, chosen, onChoose, onPlay, onTag }: TitleRowProps) {
  const row = useRef<HTMLDivElement>(null);
  const inputId = `title-${title.id}`;
  useEffect(() => {
    if (chosen) row.current?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    <div class="row" data-chosen={chosen} data-availability={title.availability} ref={row}>
      <input
        type="radio"
        name="title"
        id={inputId}
        value={title.id}
        checked={chosen}
        onChange={onChoose}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          if (chosen) onPlay();
          else onChoose();
        }}
      />
      <label for={inputId} onDblClick={onPlay}>
        <Frame title={title} />
        <span class="row-text">
          <span class="name">{title.name}</span>
          <span class="meta">
            {details(title, owned).map((detail) => (
              <span key={detail}>{detail}</span>
            ))}
          </span>
        </span>
      </label>
      <Tags tags={title.tags} onChoose={onTag} />
    </div>
  );
}

/** Stands for the picture: the shape and length of the video. */
function Frame({ title }: { title: Title }) {
  const height = title.video ? Math.min(title.video.width, title.video.height) : null;
  return (
    <span class="frame">
      {height !== null && <span class="frame-size">{height}p</span>}
      {title.durationSeconds !== null && <span class="frame-duration">{formatDuration(title.durationSeconds)}</span>}
    </span>
  );
}

const availabilities: Readonly<Record<Title["availability"], string | null>> = {
  ready: null,
  receiving: "Still arriving",
  unavailable: "Not available right now",
  failed: "Could not be read",
};

const visibilities: Readonly<Record<Title["visibility"], string>> = {
  private: "Only me",
  members: "Members",
  public: "Public",
};

function details(title: Title, owned: boolean): string[] {
  const parts: (string | null)[] = [
    availabilities[title.availability],
    title.needsRendition ? "Not for every browser" : null,
    owned ? visibilities[title.visibility] : (title.owner?.username ?? "Library folder"),
    formatBytes(title.sizeBytes),
    formatDate(title.createdAt),
  ];
  return parts.filter((part) => part !== null);
}
