import { useEffect, useRef } from "preact/hooks";
import { Cover } from "../components/cover.tsx";
import { Tags } from "../components/tags.tsx";
import { t } from "../i18n/i18n.ts";
import "../messages/en/library.ts";
import { Details, Favourite, isMine, isPlayable, SelectBox, SelectMark, type TitleItemProps } from "./title-parts.tsx";

/** Tags that fit beside a title. */
const TAGS_SHOWN = 4;

/** One title: a radio button with everything about it as its label chooses it, its picture plays it. */
export function TitleRow(props: TitleItemProps) {
  const { title, owned, chosen, isStop, selection, actions } = props;
  const row = useRef<HTMLDivElement>(null);
  const inputId = `title-${title.id}`;
  const selected = selection.active && selection.ids.has(title.id);
  useEffect(() => {
    if (chosen && !selection.active) row.current?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    <div
      class="row"
      data-chosen={selection.active ? selected : chosen}
      data-availability={title.availability}
      ref={row}
    >
      {selection.active ? <SelectBox {...props} id={inputId} /> : <Choice {...props} id={inputId} />}
      <span class="cover-box">
        <Cover title={title} />
        {isPlayable(title) && !selection.active && (
          // Not a stop for Tab: Enter on the row does the same.
          // biome-ignore lint/a11y/useAnchorContent: it has a name; what it shows lies under it
          <a
            class="cover-link"
            href={`/watch/${title.id}`}
            tabIndex={-1}
            aria-label={t("library.play", { name: title.name })}
          />
        )}
      </span>
      <SelectMark {...props} />
      <label for={inputId} onDblClick={() => selection.active || actions.play(title)} onMouseDown={keepText}>
        <span class="name" title={title.name}>
          {title.name}
        </span>
        <Details title={title} owned={owned} size />
      </label>
      <div class="row-side">
        {title.availability === "receiving" && isMine(title) && <a href="/upload">{t("library.go-to-upload")}</a>}
        <Tags tags={title.tags.slice(0, TAGS_SHOWN)} isStop={isStop} onChoose={actions.tag} />
        <Favourite title={title} isStop={isStop} actions={actions} />
      </div>
    </div>
  );
}

/** With Shift, a press would select the text between instead of the rows. */
function keepText(event: MouseEvent): void {
  if (event.shiftKey) event.preventDefault();
}

function Choice({ title, chosen, isStop, place, actions, id }: TitleItemProps & { id: string }) {
  return (
    <input
      type="radio"
      class="stop"
      name="title"
      id={id}
      value={title.id}
      data-id={title.id}
      checked={chosen}
      tabIndex={isStop ? 0 : -1}
      aria-posinset={place.position}
      aria-setsize={place.of}
      onChange={() => actions.choose(title)}
      onKeyDown={(event) => {
        if (event.key !== "Enter") return;
        event.preventDefault();
        if (chosen) actions.play(title);
        else actions.choose(title);
      }}
    />
  );
}
