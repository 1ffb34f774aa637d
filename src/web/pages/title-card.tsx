import { useEffect, useRef } from "preact/hooks";
import { Cover } from "../components/cover.tsx";
import "../messages/en/library.ts";
import { remember } from "../router.ts";
import { Details, Favourite, SelectBox, SelectMark, type TitleItemProps } from "./title-parts.tsx";

/** One title as a card that opens it. */
export function TitleCard(props: TitleItemProps) {
  const { title, owned, chosen, isStop, selection, actions } = props;
  const card = useRef<HTMLElement>(null);
  const metaId = `meta-${title.id}`;
  const boxId = `title-${title.id}`;
  const selected = selection.active && selection.ids.has(title.id);
  useEffect(() => {
    if (chosen) card.current?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    <article class="card" data-chosen={selected || chosen} data-availability={title.availability} ref={card}>
      <Cover title={title} />
      <SelectMark {...props} />
      {selection.active ? (
        <>
          <SelectBox {...props} id={boxId} />
          <label class="name" for={boxId}>
            {title.name}
          </label>
        </>
      ) : (
        <a
          class="stop name"
          href={`/watch/${title.id}`}
          data-id={title.id}
          tabIndex={isStop ? 0 : -1}
          aria-describedby={metaId}
          title={title.name}
          onClick={() => remember({ leftId: title.id })}
        >
          {title.name}
        </a>
      )}
      <Details title={title} owned={owned} size={false} id={metaId} />
      <Favourite title={title} isStop={isStop} actions={actions} />
    </article>
  );
}
