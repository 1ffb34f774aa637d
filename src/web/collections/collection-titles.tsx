import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Title } from "../../catalog/contract.ts";
import { call, messageOf } from "../api.ts";
import { Cover } from "../components/cover.tsx";
import { carrying } from "../grant.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/collections.ts";
import { notify } from "../notices.tsx";
import { Details } from "../pages/title-parts.tsx";
import { moved } from "./order.ts";

interface CollectionTitlesProps {
  readonly collectionId: string;
  /** The link that one came by, as a query; empty without one. */
  readonly grant: string;
  readonly titles: readonly Title[];
  readonly editable: boolean;
  onChange(titles: readonly Title[]): void;
}

/**
 * The titles of a collection in order. Who may edit it drags a row, or presses the arrows on its handle; each new place
 * is said.
 */
export function CollectionTitles({ collectionId, grant, titles, editable, onChange }: CollectionTitlesProps) {
  const [dragged, setDragged] = useState<string | null>(null);
  const [over, setOver] = useState<number | null>(null);
  const [said, setSaid] = useState("");
  const list = useRef<HTMLOListElement>(null);
  const refocus = useRef<string | null>(null);
  useLayoutEffect(() => {
    if (refocus.current === null) return;
    list.current?.querySelector<HTMLElement>(`[data-handle="${refocus.current}"]`)?.focus();
    refocus.current = null;
  });
  const path = `/api/collections/${collectionId}/titles`;
  const attempt = async (next: readonly Title[], work: () => Promise<unknown>) => {
    onChange(next);
    try {
      await work();
    } catch (error) {
      onChange(titles);
      notify(messageOf(error), { kind: "error" });
    }
  };
  const move = (id: string, to: number) => {
    const from = titles.findIndex((title) => title.id === id);
    const next = moved(titles, from, to);
    if (next === titles) return;
    const place = next.findIndex((title) => title.id === id);
    setSaid(t("collections.moved", { name: next[place]?.name ?? "", place: place + 1, of: next.length }));
    void attempt(next, () => call("POST", path, { titleIds: [id], before: next[place + 1]?.id ?? null }));
  };
  const take = (title: Title) => {
    const before = titles[titles.indexOf(title) + 1]?.id ?? null;
    const back = async () => {
      await call("POST", path, { titleIds: [title.id], before });
      onChange(titles);
    };
    void attempt(
      titles.filter(({ id }) => id !== title.id),
      async () => {
        await call("DELETE", `${path}?${new URLSearchParams({ title: title.id })}`);
        notify(t("collections.taken", { name: title.name }), {
          action: { label: t("do.undo"), run: back },
          seconds: 30,
        });
      },
    );
  };
  return (
    <>
      <ol class="ordered" ref={list} aria-label={t("library.videos")}>
        {titles.map((title, index) => (
          <li
            key={title.id}
            class="ordered-row"
            data-over={over === index && dragged !== title.id}
            draggable={editable}
            onDragStart={(event) => {
              setDragged(title.id);
              event.dataTransfer?.setData("text/plain", title.name);
            }}
            onDragEnd={() => {
              setDragged(null);
              setOver(null);
            }}
            onDragOver={(event) => {
              if (dragged === null) return;
              event.preventDefault();
              setOver(index);
            }}
            onDrop={(event) => {
              if (dragged === null) return;
              event.preventDefault();
              move(dragged, index);
            }}
          >
            <span class="position" aria-hidden="true">
              {index + 1}
            </span>
            <Cover title={title} />
            <div class="ordered-text">
              <a class="name" href={carrying(`/watch/${title.id}?collection=${collectionId}`, grant)}>
                {title.name}
              </a>
              <Details title={title} owned={false} size={false} />
            </div>
            {editable && (
              <div class="actions">
                <button
                  type="button"
                  class="plain handle"
                  data-handle={title.id}
                  aria-label={t("collections.move", { name: title.name, place: index + 1 })}
                  title={t("collections.move-hint")}
                  onKeyDown={(event) => {
                    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
                    const to = event.key === "Home" ? 0 : event.key === "End" ? titles.length - 1 : index + (step ?? 0);
                    if (to === index && step === undefined) return;
                    event.preventDefault();
                    refocus.current = title.id;
                    move(title.id, to);
                  }}
                >
                  <span aria-hidden="true">↕</span>
                </button>
                <button
                  type="button"
                  class="plain close"
                  aria-label={t("collections.take", { name: title.name })}
                  onClick={() => take(title)}
                >
                  ×
                </button>
              </div>
            )}
          </li>
        ))}
      </ol>
      <p class="visually-hidden" role="status">
        {said}
      </p>
    </>
  );
}
