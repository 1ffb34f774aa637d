import { useEffect, useState } from "preact/hooks";
import type { KeptFolders, LibraryReport } from "../../streaming/contract.ts";
import { call } from "../api.ts";
import { FormDialog } from "../components/form-dialog.tsx";
import { Section } from "../components/section.tsx";
import { useLoaded } from "../components/use-loaded.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/admin.ts";
import { notify } from "../notices.tsx";
import { Problem } from "./problem.tsx";
import { useRefreshed } from "./use-refreshed.ts";

type Kept = KeptFolders["items"][number];
const loadKept = () => call<KeptFolders>("GET", "/api/library/kept");
const fates = ["keep", "forget"] as const;

/** Asked again this often while titles are being forgotten, and when none are. */
const BUSY_MS = 2_000;
const IDLE_MS = 60_000;

interface RemoveFolderProps {
  readonly folder: LibraryReport["items"][number];
  onClose(hasChanged: boolean): void;
}

/** Asks what becomes of a folder's titles when it is removed, and once more before they are forgotten. */
export function RemoveFolder({ folder, onClose }: RemoveFolderProps) {
  const [isSure, setSure] = useState(false);
  const kept = useLoaded(loadKept);
  const files = kept.data?.items.find(({ id }) => id === folder.id)?.files ?? folder.files;
  const remove = async (fields: FormData) => {
    const titles = isSure ? "forget" : String(fields.get("titles"));
    if (titles === "forget" && !isSure) {
      setSure(true);
      return "stay" as const;
    }
    await call("DELETE", `/api/library/folders/${folder.id}?titles=${titles}`);
    notify(t(titles === "forget" ? "folders.removed-forgetting" : "folders.removed"), { about: "folders" });
    onClose(true);
    return "stay" as const;
  };
  return (
    <FormDialog
      // Asked anew, with the focus at its beginning.
      key={isSure ? "sure" : "choice"}
      heading={
        isSure ? t("folders.forget-heading", { count: files }) : t("folders.remove-heading", { name: folder.folder })
      }
      submit={isSure ? t("folders.forget") : t("folders.remove")}
      danger
      isReady={!isSure || kept.data !== null || kept.problem !== null}
      onSubmit={remove}
      onClose={() => onClose(false)}
    >
      <p>{t(isSure ? "folders.forget-why" : "folders.remove-why")}</p>
      {!isSure && (
        <fieldset>
          <legend>{t("folders.titles")}</legend>
          {fates.map((fate) => (
            <label key={fate} class="choice">
              <input type="radio" name="titles" value={fate} defaultChecked={fate === "keep"} />
              <span>
                {t(`folders.${fate}-titles`)} <small class="choice-text">{t(`folders.${fate}-titles-why`)}</small>
              </span>
            </label>
          ))}
        </fieldset>
      )}
    </FormDialog>
  );
}

/** Folders that were removed while their titles were kept; nothing where there are none. `changes` grows when one may have been. */
export function RemovedFolders({ changes }: { readonly changes: number }) {
  const kept = useLoaded(loadKept);
  const [asked, setAsked] = useState<readonly Kept[] | null>(null);
  const removed = kept.data?.items.filter(({ isRemoved }) => isRemoved) ?? [];
  const waiting = removed.filter(({ isForgetting }) => !isForgetting);
  useRefreshed(kept.reload, removed.length > waiting.length ? BUSY_MS : IDLE_MS);
  useEffect(() => {
    if (changes > 0) void kept.reload();
  }, [changes]);
  if (kept.problem) return <Problem text={kept.problem} onRetry={() => void kept.reload()} />;
  if (removed.length === 0) return null;
  const close = (hasChanged: boolean) => {
    setAsked(null);
    if (hasChanged) void kept.reload();
  };
  return (
    <Section
      layout="below"
      heading={t("removed.heading")}
      text={t("removed.why")}
      action={
        waiting.length > 1 && (
          <button type="button" onClick={() => setAsked(waiting)}>
            {t("removed.forget-all")}
          </button>
        )
      }
    >
      <ul class="entries" aria-label={t("removed.heading")}>
        {removed.map((folder) => (
          <li key={folder.id} class="entry">
            <div class="entry-text">
              <span class="entry-name path">{folder.folder}</span>
              <span class="meta" role={folder.isForgetting ? "status" : undefined}>
                {t(folder.isForgetting ? "removed.forgetting" : "folders.videos", { count: folder.files })}
              </span>
            </div>
            {!folder.isForgetting && (
              <button
                type="button"
                aria-label={`${t("removed.forget")}: ${folder.folder}`}
                onClick={() => setAsked([folder])}
              >
                {t("removed.forget")}
              </button>
            )}
          </li>
        ))}
      </ul>
      {asked && <ForgetTitles folders={asked} isAll={asked.length > 1} onClose={close} />}
    </Section>
  );
}

interface ForgetTitlesProps {
  readonly folders: readonly Kept[];
  readonly isAll: boolean;
  onClose(hasChanged: boolean): void;
}

function ForgetTitles({ folders, isAll, onClose }: ForgetTitlesProps) {
  const forget = async () => {
    const [folder] = folders;
    await call("DELETE", isAll || !folder ? "/api/library/kept" : `/api/library/kept?folder=${folder.id}`);
    onClose(true);
    return "stay" as const;
  };
  const count = folders.reduce((sum, { files }) => sum + files, 0);
  return (
    <FormDialog
      heading={t("folders.forget-heading", { count })}
      submit={t("folders.forget")}
      danger
      onSubmit={forget}
      onClose={() => onClose(false)}
    >
      <p>{t("folders.forget-why")}</p>
    </FormDialog>
  );
}
