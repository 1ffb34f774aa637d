import { useEffect, useRef } from "preact/hooks";
import { Cover } from "../components/cover.tsx";
import { Tags } from "../components/tags.tsx";
import { t } from "../i18n/i18n.ts";
import "../messages/en/library.ts";
import { remember } from "../router.ts";
import { Details, Favourite, isMine, isPlayable, SelectBox, SelectMark, type TitleItemProps } from "./title-parts.tsx";

/** Tags that fit beside a title. */
const TAGS_SHOWN = 4;

/** One title: its picture and its name play it; a press beside them, or the arrows, choose it for the bar below. */
export function TitleRow(props: TitleItemProps) {
  const { title, owned, chosen, isStop, selection, actions } = props;
  const row = useRef<HTMLDivElement>(null);
  const inputId = `title-${title.id}`;
  const selected = selection.active && selection.ids.has(title.id);
  const plays = isPlayable(title) && !selection.active;
  // While selecting, all of the row takes it.
  const Text = selection.active ? "label" : "div";
  // Not stops for Tab: Enter on the row does the same. Whoever comes back finds it chosen, with the focus.
  const link = { tabIndex: -1, onClick: () => remember({ chosenId: title.id, leftId: title.id }) };
  const address = `/watch/${title.id}`;
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
        {plays && (
          <a class="cover-link" href={address} {...link} aria-label={t("library.play", { name: title.name })} />
        )}
      </span>
      <SelectMark {...props} />
      <Text class="row-text" {...(selection.active ? { for: inputId } : {})}>
        {plays ? (
          <a class="name" href={address} {...link} title={title.name}>
            {title.name}
          </a>
        ) : (
          <span class="name">{title.name}</span>
        )}
        <Details title={title} owned={owned} size id={`meta-${title.id}`} />
      </Text>
      <div class="row-side">
        {title.availability === "receiving" && isMine(title) && <a href="/upload">{t("library.go-to-upload")}</a>}
        <Tags tags={title.tags.slice(0, TAGS_SHOWN)} isStop={isStop} onChoose={actions.tag} />
        <Favourite title={title} isStop={isStop} actions={actions} />
      </div>
    </div>
  );
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
      aria-label={title.name}
      aria-describedby={`meta-${title.id}`}
      checked={chosen}
      tabIndex={isStop ? 0 : -1}
      aria-posinset={place.position}
      aria-setsize={place.of}
      onChange={() => actions.choose(title)}
      onDblClick={() => actions.play(title)}
      onKeyDown={(event) => {
        if (event.key !== "Enter") return;
        event.preventDefault();
        if (chosen) actions.play(title);
        else actions.choose(title);
      }}
    />
  );
}
