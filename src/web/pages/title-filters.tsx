import { t } from "../i18n/i18n.ts";
import "../messages/en/library.ts";
import { useEffect, useState } from "preact/hooks";
import { SearchIcon } from "../components/icons.tsx";
import { here, navigate } from "../router.ts";

const SEARCH_DELAY_MS = 150;
const sorts = ["newest", "oldest", "name"] as const;

/** What the list is narrowed to and how it is sorted; all of it stands in the address. */
export function Filters({ query, onDown }: { query: URLSearchParams; onDown(): void }) {
  const [text, setText] = useState(query.get("q") ?? "");
  const tags = query.getAll("tag");
  useEffect(() => {
    if (text === (here.peek().query.get("q") ?? "")) return;
    const timer = setTimeout(() => filter((next) => setOrDelete(next, "q", text)), SEARCH_DELAY_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const given = query.get("q") ?? "";
  // Back and forward in the history change the address, not the field.
  useEffect(() => setText(given), [given]);
  return (
    <search class="filters">
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
      {tags.length > 0 && (
        <ul class="tags chosen" aria-label={t("library.only-tagged")}>
          {tags.map((tag) => (
            <li key={tag}>
              <button
                type="button"
                class="tag"
                aria-label={t("library.tagged-remove", { tag })}
                onClick={() => filter((next) => next.delete("tag", tag))}
              >
                {tag} <span aria-hidden="true">×</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </search>
  );
}

/** Changes the filters in the address, which the list follows. */
export function filter(change: (next: URLSearchParams) => void): void {
  const { path, query } = here.peek();
  const next = new URLSearchParams(query);
  next.delete("selected");
  change(next);
  const search = next.toString();
  navigate(search ? `${path}?${search}` : path, { replace: true });
}

function setOrDelete(query: URLSearchParams, name: string, value: string): void {
  if (value) query.set(name, value);
  else query.delete(name);
}

export function addTag(query: URLSearchParams, tag: string): void {
  if (!query.getAll("tag").includes(tag)) query.append("tag", tag);
}
