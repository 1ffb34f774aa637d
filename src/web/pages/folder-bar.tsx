import { useEffect, useState } from "preact/hooks";
import type { FoldersPage } from "../../catalog/contract.ts";
import { ApiError, call } from "../api.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/manage.ts";
import { user } from "../session.ts";
import { filter } from "./title-filters.tsx";

/** What the folders hold, by person and folder: on the way back it is there at once. */
const kept = new Map<string, FoldersPage>();
const KEPT_FOLDERS = 30;

/** The library's folders: where we are, and what lies below. Says so when the one asked for is gone; nothing where there are none. */
export function FolderBar({ folderId, searching }: { folderId: string | null; searching: boolean }) {
  const key = `${user.value?.id} ${folderId}`;
  const [page, setPage] = useState<FoldersPage | null>(kept.get(key) ?? null);
  const [isGone, setGone] = useState(false);
  useEffect(() => {
    const asking = new AbortController();
    const address = `/api/folders?${new URLSearchParams({ limit: "200", ...(folderId ? { parent: folderId } : {}) })}`;
    const show = (found: FoldersPage) => {
      if (kept.size >= KEPT_FOLDERS) kept.clear();
      kept.set(key, found);
      setPage(found);
    };
    setGone(false);
    call<FoldersPage>("GET", address, undefined, { signal: asking.signal }).then(show, (error) => {
      // For any other reason the list is there without its folders.
      if (!asking.signal.aborted) setGone(error instanceof ApiError && error.status === 404);
    });
    return () => asking.abort();
  }, [key]);
  if (isGone) {
    return (
      <p class="problem" role="alert">
        {t("library.folder-gone")}{" "}
        <button type="button" class="plain" onClick={() => open(null)}>
          {t("library.all-folders")}
        </button>
      </p>
    );
  }
  if (!page || (page.items.length === 0 && page.path.length === 0) || (searching && !folderId)) return null;
  return (
    <nav class="folders" aria-label={t("library.folders")}>
      {page.path.length > 0 && (
        <ol class="crumbs">
          <li>
            <button type="button" class="plain" onClick={() => open(null)}>
              {t("nav.library")}
            </button>
          </li>
          {page.path.map(({ id, name }, index) => (
            <li key={id}>
              <button
                type="button"
                class="plain"
                aria-current={index === page.path.length - 1 ? "true" : undefined}
                onClick={() => open(id)}
              >
                {name}
              </button>
            </li>
          ))}
        </ol>
      )}
      {page.items.length > 0 && (
        <ul class="tags">
          {page.items.map(({ id, name, titles }) => (
            <li key={id}>
              <button type="button" class="folder" onClick={() => open(id)}>
                {name} <span class="meta">{titles}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </nav>
  );
}

function open(id: string | null): void {
  filter((next) => {
    if (id) next.set("folder", id);
    else next.delete("folder");
  });
}
