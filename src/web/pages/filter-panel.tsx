import { useEffect, useState } from "preact/hooks";
import { call } from "../api.ts";
import { formatCodec } from "../format.ts";
import { findText, t } from "../i18n/i18n.ts";
import "../messages/en/manage.ts";
import { availabilities, codecs, filterNames, heights, lengths, states } from "./filter-terms.ts";
import { filter } from "./title-filters.tsx";

interface TagCounts {
  readonly items: readonly { readonly value: string; readonly count: number }[];
}

/** All that a list can be narrowed by, as buttons that are pressed or not. */
export function FilterPanel({ query, owner }: { query: URLSearchParams; owner: "me" | null }) {
  return (
    <div class="filter-panel">
      <div class="panel-head">
        <h2>{t("filter.filters")}</h2>
        <button
          type="button"
          class="plain close"
          aria-label={t("do.close")}
          popovertarget="filter-menu"
          popovertargetaction="hide"
        >
          ×
        </button>
      </div>
      <Part legend={t("manage.mine")}>
        {states.map(({ key, name, value }) => (
          <Toggle
            key={key}
            text={t(`filter.${key}`)}
            pressed={query.get(name) === value}
            onPress={() => swap(name, value)}
          />
        ))}
      </Part>
      <Part legend={t("manage.length")}>
        {lengths.map(({ key, min, max }) => {
          const pressed = query.get("minDuration") === asText(min) && query.get("maxDuration") === asText(max);
          return (
            <Toggle
              key={key}
              text={t(`filter.length.${key}`)}
              pressed={pressed && (min !== null || max !== null)}
              onPress={() =>
                filter((next) => {
                  next.delete("minDuration");
                  next.delete("maxDuration");
                  if (pressed) return;
                  if (min !== null) next.set("minDuration", String(min));
                  if (max !== null) next.set("maxDuration", String(max));
                })
              }
            />
          );
        })}
      </Part>
      <Part legend={t("manage.picture")}>
        {heights.map((lines) => (
          <Toggle
            key={lines}
            text={t("filter.lines", { lines: String(lines) })}
            pressed={query.get("minHeight") === String(lines)}
            onPress={() => swap("minHeight", String(lines))}
          />
        ))}
      </Part>
      <Part legend={t("manage.codec")}>
        {codecs.map((codec) => (
          <Toggle
            key={codec}
            text={formatCodec(codec)}
            pressed={query.getAll("codec").includes(codec)}
            onPress={() =>
              filter((next) => (next.has("codec", codec) ? next.delete("codec", codec) : next.append("codec", codec)))
            }
          />
        ))}
      </Part>
      <Part legend={t("manage.availability")}>
        {availabilities.map((value) => (
          <Toggle
            key={value}
            text={findText(value === "ready" ? "filter.ready" : `title.${value}`) ?? value}
            pressed={query.get("availability") === value}
            onPress={() => swap("availability", value)}
          />
        ))}
      </Part>
      {owner === null && (
        <Part legend={t("manage.owner")}>
          <Toggle text={t("filter.mine")} pressed={query.get("owner") === "me"} onPress={() => swap("owner", "me")} />
        </Part>
      )}
      <TagPart query={query} owner={owner} />
      <button
        type="button"
        class="menu-item"
        onClick={() =>
          filter((next) => {
            for (const name of filterNames) if (name !== "folder") next.delete(name);
          })
        }
      >
        {t("manage.clear")}
      </button>
    </div>
  );
}

const asText = (value: number | null) => (value === null ? null : String(value));

/** Sets a parameter, or takes it away when it has this value. */
function swap(name: string, value: string): void {
  filter((next) => (next.get(name) === value ? next.delete(name) : next.set(name, value)));
}

const TAGS_SHOWN = 12;

const fold = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").trim().toLowerCase();

/** The most frequent tags that begin with a text: of all titles one sees, or of one's own. */
async function findTags(owner: "me" | null, text: string, signal: AbortSignal): Promise<readonly string[]> {
  const asked = new URLSearchParams(text.trim() ? { q: text } : {});
  if (owner === null) {
    asked.set("limit", String(TAGS_SHOWN));
    const { items } = await call<TagCounts>("GET", `/api/tags?${asked}`, undefined, { signal });
    return items.map(({ value }) => value);
  }
  asked.set("owner", owner);
  const { tags } = await call<{ tags: TagCounts["items"] }>("GET", `/api/titles/facets?${asked}`, undefined, {
    signal,
  });
  // Titles are found by their names as well.
  return tags
    .map(({ value }) => value)
    .filter((tag) => fold(tag).startsWith(fold(text)))
    .slice(0, TAGS_SHOWN);
}

/** The tags there are, found by their first letters. */
function TagPart({ query, owner }: { query: URLSearchParams; owner: "me" | null }) {
  const [text, setText] = useState("");
  const [tags, setTags] = useState<readonly string[]>([]);
  useEffect(() => {
    const asking = new AbortController();
    // Without suggestions the other filters are there all the same.
    findTags(owner, text, asking.signal).then(setTags, () => undefined);
    return () => asking.abort();
  }, [text, owner]);
  return (
    <Part legend={t("manage.tag")}>
      <input
        type="search"
        aria-label={t("manage.tag")}
        value={text}
        maxLength={64}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      {tags.map((tag) => (
        <Toggle
          key={tag}
          text={tag}
          pressed={query.has("tag", tag)}
          onPress={() => filter((next) => (next.has("tag", tag) ? next.delete("tag", tag) : next.append("tag", tag)))}
        />
      ))}
    </Part>
  );
}

function Part({ legend, children }: { legend: string; children: preact.ComponentChildren }) {
  return (
    <fieldset class="menu-part">
      <legend>{legend}</legend>
      <div class="toggles">{children}</div>
    </fieldset>
  );
}

function Toggle({ text, pressed, onPress }: { text: string; pressed: boolean; onPress(): void }) {
  return (
    <button type="button" class="tag" aria-pressed={pressed} onClick={onPress}>
      {text}
    </button>
  );
}
