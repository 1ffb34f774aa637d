import { language, t } from "../i18n/i18n.ts";
import "../messages/en/library.ts";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Title } from "../../catalog/contract.ts";
import { Heading } from "../components/heading.tsx";
import { PlayIcon } from "../components/icons.tsx";
import { here, navigate, remember, remembered } from "../router.ts";
import { mayUpload, user } from "../session.ts";
import { WatchPage } from "./lazy-pages.ts";
import { addTag, Filters, filter } from "./title-filters.tsx";
import { isPlayable, TitleRow } from "./title-row.tsx";
import { type TitleList, useTitles } from "./use-titles.ts";

/** My videos (`owner` is me) or the library (everything I may see): search, choose one, play it. */
export function TitlesPage({ owner }: { owner: "me" | null }) {
  const { query } = here.value;
  const [before] = useState(remembered);
  const [chosenId, setChosenId] = useState<string | null>(before.chosenId ?? query.get("selected"));
  const list = useTitles(owner, query, before.shown);
  const chosen = list.items.find(({ id }) => id === chosenId) ?? null;
  const radios = useRef<HTMLFieldSetElement>(null);
  useSelected(query, setChosenId);
  useSeek(list, chosen === null ? query.get("selected") : null);
  useMemory(list, chosenId);
  useReturn(list, before.scrollY, radios);
  useEffect(() => {
    // Whoever chooses a video is about to play it.
    if (chosen) WatchPage.preload();
  }, [chosen?.id]);

  const play = (event: SubmitEvent) => {
    event.preventDefault();
    if (chosen && isPlayable(chosen)) navigate(`/watch/${chosen.id}`);
  };
  const intoList = () => {
    const radio = radios.current?.querySelector<HTMLInputElement>("input:checked, input");
    radio?.focus();
    radio?.click();
  };
  const heading = t(owner === "me" ? "nav.videos" : "nav.library");
  return (
    <section class="titles">
      <div class="title-bar">
        <Heading title={heading} />
        <p class="count" role="status" aria-live="polite">
          {describe(list)}
        </p>
      </div>
      <Filters query={query} onDown={intoList} />
      {list.problem && (
        <p class="problem" role="alert">
          {list.problem}{" "}
          <button type="button" class="plain" onClick={list.reload}>
            {t("app.try-again")}
          </button>
        </p>
      )}
      {list.items.length === 0 && list.state === "ready" && <Nothing owner={owner} query={query} />}
      {list.items.length > 0 && (
        <form onSubmit={play}>
          <fieldset class="rows" ref={radios} aria-busy={list.state === "loading"}>
            <legend class="visually-hidden">{t("library.videos")}</legend>
            {list.items.map((title) => (
              <TitleRow
                key={title.id}
                title={title}
                owned={owner === "me"}
                chosen={title.id === chosenId}
                onChoose={() => setChosenId(title.id)}
                onPlay={() => isPlayable(title) && navigate(`/watch/${title.id}`)}
                onTag={(tag) => filter((next) => addTag(next, tag))}
              />
            ))}
          </fieldset>
          <More list={list} />
          <PlayBar chosen={chosen} />
        </form>
      )}
    </section>
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
function useSeek(list: TitleList, id: string | null): void {
  useEffect(() => {
    if (id !== null && list.state === "ready" && list.items.length < SEEK_LIMIT) list.more();
  }, [id, list.state]);
}

/** Keeps what going back to this list shows again. */
function useMemory({ state, items }: TitleList, chosenId: string | null): void {
  const shown = items.length;
  useEffect(() => {
    if (state === "ready") remember({ chosenId, shown });
  }, [state, chosenId, shown, here.value]);
}

/** Once there are titles, scrolls to where the person was, with the focus on the chosen one. */
function useReturn(list: TitleList, scrollY: number | undefined, radios: { current: HTMLElement | null }): void {
  const done = useRef(scrollY === undefined);
  useEffect(() => {
    if (done.current || list.state !== "ready" || list.items.length === 0) return;
    done.current = true;
    scrollTo(0, scrollY ?? 0);
    if (document.activeElement?.matches("input, select, textarea")) return;
    radios.current?.querySelector<HTMLInputElement>("input:checked")?.focus({ preventScroll: true });
  }, [list.state]);
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

/** The next page, when its button comes into view or is pressed. */
function More({ list }: { list: TitleList }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!button.current) return;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) list.more();
    });
    observer.observe(button.current);
    return () => observer.disconnect();
  });
  if (!list.hasMore) return null;
  return (
    <button type="button" class="more" ref={button} onClick={list.more}>
      {t("library.show-more")}
    </button>
  );
}

function Nothing({ owner, query }: { owner: "me" | null; query: URLSearchParams }) {
  if (query.has("q") || query.has("tag")) {
    return (
      <div class="nothing">
        <h2>{t("library.nothing-fits")}</h2>
        <p>{explainNothing(owner, query)}</p>
        <p class="actions">
          <button type="button" onClick={() => navigate(here.peek().path)}>
            {t("library.show-all")}
          </button>
          {owner === "me" && (
            <a class="button" href={`/library?${query}`}>
              {t("library.search-library")}
            </a>
          )}
        </p>
      </div>
    );
  }
  if (owner === "me") {
    return (
      <div class="nothing">
        <h2>{t("library.no-videos")}</h2>
        <p>{t("library.upload-first")}</p>
        <p class="actions">
          {mayUpload(user.value) && (
            <a class="button primary" href="/upload">
              {t("library.upload-video")}
            </a>
          )}
          <a class="button" href="/library">
            {t("library.open-library")}
          </a>
        </p>
      </div>
    );
  }
  return (
    <div class="nothing">
      <h2>{t("library.empty")}</h2>
      <p>{t("library.empty-why")}</p>
      {mayUpload(user.value) && (
        <p class="actions">
          <a class="button primary" href="/upload">
            {t("library.upload-video")}
          </a>
        </p>
      )}
    </div>
  );
}

/** What was looked for, and where. */
function explainNothing(owner: "me" | null, query: URLSearchParams): string {
  const none = owner === "me" ? "library.none-mine" : "library.none";
  const text = query.get("q")?.trim();
  const names = query.getAll("tag").map((tag) => `“${tag}”`);
  const and = new Intl.ListFormat(language.value, { type: "conjunction" });
  const tags = names.length > 0 ? t("library.the-tags", { count: names.length, tags: and.format(names) }) : null;
  if (!text) return tags === null ? t("library.none-filters") : t(none, { what: tags });
  const words = t("library.words", { text });
  return t(none, { what: tags === null ? words : t("library.words-and", { words, tags }) });
}

function describe(list: TitleList): string {
  if (list.state === "loading" && list.items.length === 0) return t("app.loading");
  if (list.problem) return "";
  return t(list.hasMore ? "library.count-more" : "library.count", { count: list.items.length });
}
