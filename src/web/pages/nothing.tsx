import type { DeletedTitle } from "../../catalog/contract.ts";
import { call } from "../api.ts";
import { useLoaded } from "../components/use-loaded.ts";
import { language, t } from "../i18n/i18n.ts";
import "../messages/en/library.ts";
import "../messages/en/manage.ts";
import { deletedAddress, mayUpload, user } from "../session.ts";
import { filterNames } from "./filter-terms.ts";
import { filter } from "./title-filters.tsx";

/** What an empty list says: why it is, and what to do next. */
export function Nothing({ owner, query }: { owner: "me" | null; query: URLSearchParams }) {
  if (query.has("q") || filterNames.some((name) => query.has(name))) {
    return (
      <div class="nothing">
        <h2>{t("library.nothing-fits")}</h2>
        <p>{explainNothing(owner, query)}</p>
        <p class="actions">
          <button type="button" onClick={showAll}>
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
          <WayToDeleted />
        </p>
      </div>
    );
  }
  return (
    <div class="nothing">
      <h2>{t("library.empty")}</h2>
      <p>{t("library.empty-why")}</p>
      <p class="actions">
        {mayUpload(user.value) && (
          <a class="button primary" href="/upload">
            {t("library.upload-video")}
          </a>
        )}
        <WayToDeleted />
      </p>
    </div>
  );
}

/** For whoever has deleted something that can be brought back; asked only where there is nothing else. */
function WayToDeleted() {
  const { data } = useLoaded(() => call<{ items: readonly DeletedTitle[] }>("GET", "/api/titles/deleted"));
  if (!data || data.items.length === 0) return null;
  return (
    <a class="button" href={deletedAddress}>
      {t("library.deleted")}
    </a>
  );
}

/** Without what narrows the list; what it is shown for stays. */
function showAll(): void {
  filter((next) => {
    for (const name of ["q", ...filterNames]) next.delete(name);
  });
}

/** What was looked for, and where. */
function explainNothing(owner: "me" | null, query: URLSearchParams): string {
  const none = owner === "me" ? "library.none-mine" : "library.none";
  const text = query.get("q")?.trim();
  const names = query.getAll("tag").map((tag) => `“${tag}”`);
  const and = new Intl.ListFormat(language.value, { type: "conjunction" });
  const tags = names.length > 0 ? t("library.the-tags", { count: names.length, tags: and.format(names) }) : null;
  if (filterNames.some((name) => name !== "tag" && query.has(name))) return t("library.none-filters");
  if (!text) return tags === null ? t("library.none-filters") : t(none, { what: tags });
  const words = t("library.words", { text });
  return t(none, { what: tags === null ? words : t("library.words-and", { words, tags }) });
}
