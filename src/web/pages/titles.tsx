import { useEffect, useRef, useState } from "preact/hooks";
import type { Title } from "../../catalog/contract.ts";
import { Heading } from "../components/heading.tsx";
import { PlayIcon, SearchIcon } from "../components/icons.tsx";
import { here, navigate } from "../router.ts";
import { mayUpload, user } from "../session.ts";
import { TitleRow } from "./title-row.tsx";
import { type TitleList, useTitles } from "./use-titles.ts";

const SEARCH_DELAY_MS = 150;

/** My videos (`owner` is me) or the library (everything I may see): search, choose one, play it. */
export function TitlesPage({ owner }: { owner: "me" | null }) {
  const { query } = here.value;
  const [chosenId, setChosenId] = useState<string | null>(query.get("selected"));
  const list = useTitles(owner, query);
  const chosen = list.items.find(({ id }) => id === chosenId) ?? null;
  const radios = useRef<HTMLFieldSetElement>(null);

  const play = (event: SubmitEvent) => {
    event.preventDefault();
    if (chosen && isPlayable(chosen)) navigate(`/watch/${chosen.id}`);
  };
  const intoList = () => {
    const radio = radios.current?.querySelector<HTMLInputElement>("input:checked, input");
    radio?.focus();
    radio?.click();
  };
  const heading = owner === "me" ? "My videos" : "Library";
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
            Try again
          </button>
        </p>
      )}
      {list.items.length === 0 && list.state === "ready" && <Nothing owner={owner} query={query} />}
      {list.items.length > 0 && (
        <form onSubmit={play}>
          <fieldset class="rows" ref={radios} aria-busy={list.state === "loading"}>
            <legend class="visually-hidden">Videos</legend>
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

function PlayBar({ chosen }: { chosen: Title | null }) {
  const playable = chosen !== null && isPlayable(chosen);
  return (
    <div class="play-bar">
      <p>{chosen ? <strong>{chosen.name}</strong> : "Choose a video to play"}</p>
      <button type="submit" class="primary" disabled={!playable}>
        <PlayIcon />
        Play
      </button>
    </div>
  );
}

function Filters({ query, onDown }: { query: URLSearchParams; onDown(): void }) {
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
        <span class="visually-hidden">Search</span>
        <SearchIcon />
        <input
          type="search"
          value={text}
          placeholder="Search videos"
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
        <span class="visually-hidden">Order</span>
        <select
          value={query.get("sort") ?? "newest"}
          onChange={(event) => {
            const sort = event.currentTarget.value;
            filter((next) => setOrDelete(next, "sort", sort === "newest" ? "" : sort));
          }}
        >
          <option value="newest">Newest</option>
          <option value="oldest">Oldest</option>
          <option value="name">Name</option>
        </select>
      </label>
      {tags.length > 0 && (
        <ul class="tags chosen" aria-label="Only with these tags">
          {tags.map((tag) => (
            <li key={tag}>
              <button
                type="button"
                class="tag"
                aria-label={`Tagged ${tag}; remove`}
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
      Show more
    </button>
  );
}

function Nothing({ owner, query }: { owner: "me" | null; query: URLSearchParams }) {
  if (query.has("q") || query.has("tag")) {
    return (
      <div class="nothing">
        <h2>Nothing fits</h2>
        <p>No video has all of this in its name, description or tags.</p>
        <button type="button" onClick={() => navigate(here.peek().path)}>
          Show all
        </button>
      </div>
    );
  }
  if (owner === "me") {
    return (
      <div class="nothing">
        <h2>No videos yet</h2>
        <p>Upload your first one, or look at what others share in the library.</p>
        <p class="actions">
          {mayUpload(user.value) && (
            <a class="button primary" href="/upload">
              Upload a video
            </a>
          )}
          <a class="button" href="/library">
            Open the library
          </a>
        </p>
      </div>
    );
  }
  return (
    <div class="nothing">
      <h2>The library is empty</h2>
      <p>Videos that members share appear here, and those of the folders Kinora was started with.</p>
      {mayUpload(user.value) && (
        <p class="actions">
          <a class="button primary" href="/upload">
            Upload a video
          </a>
        </p>
      )}
    </div>
  );
}

const isPlayable = (title: Title) => title.availability === "ready";

function describe(list: TitleList): string {
  if (list.state === "loading" && list.items.length === 0) return "Loading…";
  if (list.problem) return "";
  const count = list.items.length;
  return `${count}${list.hasMore ? "+" : ""} ${count === 1 ? "video" : "videos"}`;
}

/** Changes the filters in the address, which the list follows. */
function filter(change: (next: URLSearchParams) => void): void {
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

function addTag(query: URLSearchParams, tag: string): void {
  if (!query.getAll("tag").includes(tag)) query.append("tag", tag);
}
