import { t } from "../i18n/i18n.ts";
import "../messages/en/library.ts";
import { useEffect, useRef } from "preact/hooks";
import type { Title } from "../../catalog/contract.ts";
import { Tags } from "../components/tags.tsx";
import { formatBytes, formatDate, formatDuration, hueOf, initialsOf } from "../format.ts";
import { user } from "../session.ts";

interface TitleRowProps {
  readonly title: Title;
  /** Whether the list holds only my own, so that the owner need not be named. */
  readonly owned: boolean;
  readonly chosen: boolean;
  onChoose(): void;
  onPlay(): void;
  onTag(tag: string): void;
}

export const isPlayable = (title: Title) => title.availability === "ready";

const isMine = (title: Title) => title.owner !== null && title.owner.id === user.value?.id;

/** One title: a radio button with everything about it as its label chooses it, its picture plays it. */
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
      <Frame title={title} />
      <label for={inputId} onDblClick={onPlay}>
        <span class="name">{title.name}</span>
        <span class="meta">
          {details(title, owned).map((detail) => (
            <span key={detail}>{detail}</span>
          ))}
        </span>
      </label>
      <div class="row-side">
        {title.availability === "receiving" && isMine(title) && <a href="/upload">{t("library.go-to-upload")}</a>}
        <Tags tags={title.tags} onChoose={onTag} />
      </div>
    </div>
  );
}

/** Stands for the picture: initials and a colour of its own, the height and length of the video. Plays when pressed. */
function Frame({ title }: { title: Title }) {
  const height = title.video ? Math.min(title.video.width, title.video.height) : null;
  const content = (
    <>
      <span class="frame-initials">{initialsOf(title.name)}</span>
      {height !== null && <span class="frame-size">{height}p</span>}
      {title.durationSeconds !== null && <span class="frame-duration">{formatDuration(title.durationSeconds)}</span>}
    </>
  );
  const style = { "--hue": String(hueOf(title.id)) };
  if (!isPlayable(title)) {
    return (
      <span class="frame" style={style} aria-hidden="true">
        {content}
      </span>
    );
  }
  // Not a stop for Tab: Enter on the row does the same.
  return (
    <a
      class="frame"
      style={style}
      href={`/watch/${title.id}`}
      tabIndex={-1}
      aria-label={t("library.play", { name: title.name })}
    >
      {content}
    </a>
  );
}

function details(title: Title, owned: boolean): string[] {
  const parts: (string | null)[] = [
    title.availability === "ready" ? null : t(`title.${title.availability}`),
    title.needsRendition ? t("library.not-every-browser") : null,
    owned ? null : (title.owner?.username ?? t("title.from-folder")),
    owned || isMine(title) ? t(`title.${title.visibility}`) : null,
    formatBytes(title.sizeBytes),
    formatDate(title.createdAt),
  ];
  return parts.filter((part) => part !== null);
}
