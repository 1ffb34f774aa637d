import { useEffect, useRef, useState } from "preact/hooks";
import type { Title } from "../../catalog/contract.ts";
import { call, messageOf } from "../api.ts";
import { Heading } from "../components/heading.tsx";
import { PlayIcon } from "../components/icons.tsx";
import { t } from "../i18n/i18n.ts";
import { lazy } from "../lazy.tsx";
import "../messages/en/library.ts";
import { notify } from "../notices.tsx";
import { here, navigate, remember, remembered, steps } from "../router.ts";
import { Begun, useBegun } from "./begun.tsx";
import { WatchPage } from "./lazy-pages.ts";
import { type Selection, useSelection } from "./selection.ts";
import { addTag, Filters, filter } from "./title-filters.tsx";
import { type TitleActions, TitleList, type View } from "./title-list.tsx";
import { isPlayable } from "./title-parts.tsx";
import { type TitleList as FoundTitles, useTitles } from "./use-titles.ts";

const SelectBar = lazy(async () => (await import("./select-bar.tsx")).SelectBar);
const CollectBar = lazy(async () => (await import("./collect-bar.tsx")).CollectBar);
const Nothing = lazy(async () => (await import("./nothing.tsx")).Nothing, { plain: true });
const FolderBar = lazy(async () => (await import("./folder-bar.tsx")).FolderBar, { quiet: true, plain: true });

/** My videos (`owner` is me) or the library (everything I may see): search, choose one, play it. */
export function TitlesPage({ owner }: { owner: "me" | null }) {
  const selection = useSelection(owner ?? "library");
  // Back and forward between folders and filters lead to lists as they were left; what is selected stays.
  return <Titles key={steps.value} owner={owner} selection={selection} />;
}

function Titles({ owner, selection }: { owner: "me" | null; selection: Selection }) {
  const { query } = here.value;
  const [before, setBefore] = useState(remembered);
  const [chosenId, setChosenId] = useState<string | null>(before.chosenId ?? query.get("selected"));
  const [view, setView] = useView(owner);
  const list = useTitles(owner, query, before.shown);
  const begun = useBegun(owner === null && [...query.keys()].every((name) => name === "selected"));
  const chosen = list.items.find(({ id }) => id === chosenId) ?? null;
  const isEmpty = list.items.length === 0;
  const box = useRef<HTMLFieldSetElement>(null);
  useSelected(query, setChosenId);
  useSeek(list, chosen === null ? query.get("selected") : null);
  useMemory(list, chosenId);
  useEffect(() => {
    // Whoever chooses a video is about to play it.
    if (chosen) WatchPage.preload();
  }, [chosen?.id]);

  const actions: TitleActions = {
    choose: ({ id }) => setChosenId(id),
    play: (title) => {
      if (!isPlayable(title)) return;
      remember({ leftId: title.id });
      navigate(`/watch/${title.id}`);
    },
    tag: (tag) => filter((next) => addTag(next, tag)),
    favourite: (title) => void toggleFavourite(title, list),
  };
  const play = (event: SubmitEvent) => {
    event.preventDefault();
    if (chosen) actions.play(chosen);
  };
  const intoList = () => {
    const stop = box.current?.querySelector<HTMLElement>("input:checked, .stop");
    stop?.focus();
    if (stop?.matches("[type=radio]")) stop.click();
  };
  return (
    <section class="titles">
      <div class="title-bar">
        <Heading title={t(owner === "me" ? "nav.videos" : "nav.library")} />
        <p class="count" role="status" aria-live="polite">
          {describe(list)}
        </p>
      </div>
      <Filters query={query} owner={owner} view={view} onView={setView} selection={selection} onDown={intoList} />
      {owner === null && <FolderBar folderId={query.get("folder")} searching={query.has("q")} />}
      {list.problem && (
        <p class="problem" role="alert">
          {list.problem}{" "}
          <button type="button" class="plain" onClick={list.reload}>
            {t("app.try-again")}
          </button>
        </p>
      )}
      {isEmpty && list.isAnswered && !list.problem && <Nothing owner={owner} query={query} />}
      {(isEmpty ? !list.isAnswered && list.state === "loading" : begun === null) && <Ghosts view={view} />}
      {!isEmpty && begun !== null && begun.length > 0 && <Begun titles={begun} />}
      {!isEmpty && begun !== null && (
        <form onSubmit={play}>
          <TitleList
            items={list.items}
            hasMore={list.hasMore}
            busy={list.state === "loading"}
            view={view}
            owned={owner === "me"}
            chosenId={chosenId}
            before={before}
            selection={selection}
            actions={actions}
            box={box}
            onNearEnd={list.more}
            // Once: a list that is empty for a while is another one afterwards.
            onReturned={() => setBefore({})}
          />
          {list.hasMore && (
            <button type="button" class="more" onClick={list.more}>
              {t("library.show-more")}
            </button>
          )}
          <Bar chosen={view === "list" ? chosen : null} view={view} selection={selection} list={list} />
        </form>
      )}
    </section>
  );
}

function Bar({ chosen, view, selection, list }: BarProps) {
  const collectionId = here.value.query.get("collect");
  if (collectionId) return <CollectBar collectionId={collectionId} selection={selection} />;
  if (selection.active) return <SelectBar selection={selection} list={list} />;
  return view === "list" ? <PlayBar chosen={chosen} /> : null;
}

interface BarProps {
  readonly chosen: Title | null;
  readonly view: View;
  readonly selection: Selection;
  readonly list: FoundTitles;
}

/** The view of a list, kept in this browser: rows for one's own videos, cards for the library until somebody switches. */
function useView(owner: "me" | null): [View, (view: View) => void] {
  const stored = `kinora-view-${owner ?? "library"}`;
  const [view, setView] = useState<View>(() => {
    const kept = localStorage.getItem(stored);
    return kept === "list" || kept === "grid" ? kept : owner === "me" ? "list" : "grid";
  });
  return [
    view,
    (next) => {
      localStorage.setItem(stored, next);
      setView(next);
    },
  ];
}

/** Shown at once, and taken back when the server refuses. */
async function toggleFavourite(title: Title, list: FoundTitles): Promise<void> {
  const show = (favourite: boolean) =>
    list.patch((other) =>
      other.id === title.id && other.mine ? { ...other, mine: { ...other.mine, favourite } } : other,
    );
  const wanted = !title.mine?.favourite;
  show(wanted);
  try {
    await call(wanted ? "PUT" : "DELETE", `/api/titles/${title.id}/favourite`);
  } catch (error) {
    show(!wanted);
    notify(messageOf(error), { kind: "error" });
  }
}

/** Stands where the first titles will be. */
function Ghosts({ view }: { view: View }) {
  return (
    <div class="ghosts" data-view={view} aria-hidden="true">
      {Array.from({ length: 8 }, (_, index) => (
        <span key={index} />
      ))}
    </div>
  );
}

/** The most titles that are read to come to a chosen one. */
const SEEK_LIMIT = 500;

/** Chooses what the address selects, also when it comes to select something else. */
function useSelected(query: URLSearchParams, choose: (id: string) => void): void {
  const first = useRef(true);
  useEffect(() => {
    const selected = query.get("selected");
    if (!first.current && selected) choose(selected);
    first.current = false;
  }, [query]);
}

/** Reads on until a title is there. */
function useSeek(list: FoundTitles, id: string | null): void {
  useEffect(() => {
    if (id !== null && list.state === "ready" && list.items.length < SEEK_LIMIT) list.more();
  }, [id, list.state]);
}

/** Keeps what going back to this list shows again. */
function useMemory({ state, items }: FoundTitles, chosenId: string | null): void {
  const shown = items.length;
  useEffect(() => {
    if (state === "ready") remember({ chosenId, shown });
  }, [state, chosenId, shown, here.value]);
}

function PlayBar({ chosen }: { chosen: Title | null }) {
  const playable = chosen !== null && isPlayable(chosen);
  return (
    <div class="play-bar">
      <p>{chosen ? <strong>{chosen.name}</strong> : t("library.choose")}</p>
      <button type="submit" class="primary" disabled={!playable}>
        <PlayIcon />
        {t("do.play")}
      </button>
    </div>
  );
}

function describe(list: FoundTitles): string {
  if (list.state === "loading" && list.items.length === 0 && !list.isAnswered) return t("app.loading");
  if (list.problem) return "";
  if (list.hasMore && list.total === null) return t("library.count-more", { count: list.items.length });
  return t("library.count", { count: list.hasMore && list.total !== null ? list.total : list.items.length });
}
