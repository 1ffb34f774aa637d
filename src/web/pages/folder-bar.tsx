import { useEffect, useState } from "preact/hooks";
import type { FoldersPage } from "../../catalog/contract.ts";
import { call } from "../api.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/library.ts";
import { filter } from "./title-filters.tsx";

/** The library's folders: where we are, and what lies below. Nothing where there are none. */
export function FolderBar({ folderId, searching }: { folderId: string | null; searching: boolean }) {
  const [page, setPage] = useState<FoldersPage | null>(null);
  useEffect(() => {
    const asking = new AbortController();
    const address = `/api/folders?${new URLSearchParams({ limit: "200", ...(folderId ? { parent: folderId } : {}) })}`;
    // The list is there without its folders.
    call<FoldersPage>("GET", address, undefined, { signal: asking.signal }).then(setPage, () => undefined);
    return () => asking.abort();
  }, [folderId]);
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
