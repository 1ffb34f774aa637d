import { useEffect, useRef, useState } from "preact/hooks";
import { FilterIcon, GridIcon, ListIcon, SearchIcon, SelectIcon } from "../components/icons.tsx";
import { Menu } from "../components/menu.tsx";
import { t } from "../i18n/i18n.ts";
import { lazy } from "../lazy.tsx";
import "../messages/en/library.ts";
import { here, navigate } from "../router.ts";
import { type Term, termsOf } from "./filter-terms.ts";
import type { Selection } from "./selection.ts";
import type { View } from "./title-list.tsx";
import { sorts } from "./title-search.ts";

const SEARCH_DELAY_MS = 150;

const FilterPanel = lazy(async () => (await import("./filter-panel.tsx")).FilterPanel);

interface FiltersProps {
  readonly query: URLSearchParams;
  readonly owner: "me" | null;
  readonly view: View;
  readonly selection: Selection;
  onView(view: View): void;
  onDown(): void;
}

/** What the list is narrowed to and how it is sorted; all of it stands in the address. */
export function Filters({ query, owner, view, selection, onView, onDown }: FiltersProps) {
  const [opened, setOpened] = useState(false);
  const other = view === "list" ? "grid" : "list";
  return (
    <search class="filters">
      <SearchField given={query.get("q") ?? ""} onDown={onDown} />
      <div class="tools">
        <label class="sort">
          <span class="visually-hidden">{t("library.order")}</span>
          <select
            value={query.get("sort") ?? "newest"}
            onChange={(event) => {
              const sort = event.currentTarget.value;
              filter((next) => setOrDelete(next, "sort", sort === "newest" ? "" : sort));
            }}
          >
            {sorts.map((sort) => (
              <option key={sort} value={sort}>
                {t(`library.sort.${sort}`)}
              </option>
            ))}
          </select>
        </label>
        <Menu
          id="filter-menu"
          class="tool"
          label={t("filter.filters")}
          button={<FilterIcon />}
          onOpen={() => setOpened(true)}
        >
          {opened && <FilterPanel query={query} owner={owner} />}
        </Menu>
        <button
          type="button"
          class="tool"
          aria-label={t(`library.view.${other}`)}
          title={t(`library.view.${other}`)}
          onClick={() => onView(other)}
        >
          {other === "grid" ? <GridIcon /> : <ListIcon />}
        </button>
        <button
          type="button"
          class="tool"
          aria-label={t("library.select")}
          title={t("library.select")}
          aria-pressed={selection.active}
          onClick={() => (selection.active ? selection.end() : selection.begin())}
        >
          <SelectIcon />
        </button>
      </div>
      <Chips terms={termsOf(query).filter(({ params }) => !params.some(([name]) => name === "folder"))} />
    </search>
  );
}

/** Searches as one types; down and Enter lead into the list. */
function SearchField({ given, onDown }: { given: string; onDown(): void }) {
  const [text, setText] = useState(given);
  const sent = useRef(given);
  useEffect(() => {
    if (text === (here.peek().query.get("q") ?? "")) return;
    const timer = setTimeout(() => {
      sent.current = text;
      // Each letter would be a step back.
      filter((next) => setOrDelete(next, "q", text), { replace: true });
    }, SEARCH_DELAY_MS);
    return () => clearTimeout(timer);
  }, [text]);
  // Back and forward in the history change the address, not the field. What comes of the field itself must not take back
  // what was typed since.
  useEffect(() => {
    if (given !== sent.current) setText(given);
    sent.current = given;
  }, [given]);
  return (
    <label class="search">
      <span class="visually-hidden">{t("library.search")}</span>
      <SearchIcon />
      <input
        type="search"
        value={text}
        placeholder={t("library.search-videos")}
        maxLength={200}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown" && event.key !== "Enter") return;
          event.preventDefault();
          onDown();
        }}
      />
    </label>
  );
}

/** What the list is narrowed by; each is taken away by a press. */
function Chips({ terms }: { terms: readonly Term[] }) {
  if (terms.length === 0) return null;
  const remove = ({ params }: Term) =>
    filter((next) => {
      for (const [name, value] of params) next.delete(name, value);
    });
  return (
    <ul class="tags chosen" aria-label={t("library.narrowed")}>
      {terms.map((term) => (
        <li key={term.params.join()}>
          <button
            type="button"
            class="tag"
            aria-label={
              term.params[0]?.[0] === "tag"
                ? t("library.tagged-remove", { tag: term.text })
                : t("library.term-remove", { term: term.text })
            }
            onClick={() => remove(term)}
          >
            {term.text} <span aria-hidden="true">×</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Changes the filters in the address, which the list follows; going back undoes it, except with `replace`. */
export function filter(change: (next: URLSearchParams) => void, options: { replace?: boolean } = {}): void {
  const { path, query } = here.peek();
  const next = new URLSearchParams(query);
  next.delete("selected");
  change(next);
  const search = next.toString();
  navigate(search ? `${path}?${search}` : path, options);
}

function setOrDelete(query: URLSearchParams, name: string, value: string): void {
  if (value) query.set(name, value);
  else query.delete(name);
}

export function addTag(query: URLSearchParams, tag: string): void {
  if (!query.getAll("tag").includes(tag)) query.append("tag", tag);
}
