import { useEffect, useState } from "preact/hooks";
import type { ProgressEvent } from "../../main/contract.ts";
import type { LibraryReport } from "../../streaming/contract.ts";
import { ApiError, call, messageOf } from "../api.ts";
import { FormDialog } from "../components/form-dialog.tsx";
import { None } from "../components/none.tsx";
import { Empty, Skeleton } from "../components/parts.tsx";
import { Section } from "../components/section.tsx";
import { useLoaded } from "../components/use-loaded.ts";
import { works } from "../events.ts";
import { formatBytes } from "../format.ts";
import { formatAgo } from "../format-time.ts";
import { findText, language, t } from "../i18n/i18n.ts";
import "../messages/en/admin.ts";
import { notify } from "../notices.tsx";
import { refusalOf } from "../refusal.ts";
import { BuriedTitles } from "./buried.tsx";
import { Problem } from "./problem.tsx";
import { RemovedFolders, RemoveFolder } from "./removed-folders.tsx";
import { useRefreshed } from "./use-refreshed.ts";

type Folder = LibraryReport["items"][number];

const visibilities = ["members", "public", "private"] as const;
/** Asked again this often while something is going on, and when nothing is. */
const BUSY_MS = 2_000;
const IDLE_MS = 20_000;

/** The library: its folders, and what was deleted of it. */
export function FoldersPage() {
  const [changes, setChanges] = useState(0);
  return (
    <>
      <LibraryFolders onChanged={() => setChanges((count) => count + 1)} />
      <RemovedFolders changes={changes} />
      <BuriedTitles />
    </>
  );
}

/** The library's folders: added, scanned again, removed, with what was not taken and why. */
function LibraryFolders({ onChanged }: { onChanged(): void }) {
  const report = useLoaded(() => call<LibraryReport>("GET", "/api/library"));
  const [task, setTask] = useState<"add" | Folder | null>(null);
  const isBusy = report.data?.items.some(({ state }) => state === "scanning") || (report.data?.unhashedBytes ?? 0) > 0;
  useRefreshed(report.reload, isBusy ? BUSY_MS : IDLE_MS);
  const ended = [...works.value.values()].filter(({ kind, state }) => kind === "scan" && state !== "running").length;
  useEffect(() => {
    if (ended > 0) void report.reload();
  }, [ended]);
  const rescan = async () => {
    await call("POST", "/api/library/rescan");
    notify(t("folders.rescanning"), { about: "folders" });
    await report.reload();
  };
  const close = (hasChanged: boolean) => {
    setTask(null);
    if (hasChanged) onChanged();
    if (hasChanged) void report.reload();
  };
  const { data } = report;
  return (
    <Section
      layout="below"
      heading={t("folders.heading")}
      text={t("folders.why")}
      action={
        data &&
        data.items.length > 0 && (
          <>
            <button
              type="button"
              onClick={() => void rescan().catch((error: unknown) => notify(messageOf(error), { kind: "error" }))}
            >
              {t("folders.rescan")}
            </button>
            {data.mayAdd && <AddButton onClick={() => setTask("add")} />}
          </>
        )
      }
    >
      {report.problem && <Problem text={report.problem} onRetry={() => void report.reload()} />}
      {!data && !report.problem && <Skeleton lines={4} />}
      <None when={data?.items.length === 0}>
        <Empty heading={t("folders.none")} text={t("folders.none-why")}>
          {data?.mayAdd && <AddButton onClick={() => setTask("add")} />}
        </Empty>
      </None>
      {data && !data.mayAdd && <p class="meta">{t("folders.may-not-add")}</p>}
      {data && data.unhashedBytes > 0 && (
        <p class="meta" role="status">
          {t("folders.hashing", { size: formatBytes(data.unhashedBytes) })}
        </p>
      )}
      <ul class="entries" aria-label={t("folders.heading")}>
        {data?.items.map((folder) => (
          <FolderEntry
            key={folder.id}
            folder={folder}
            work={works.value.get(folder.id)}
            onRemove={() => setTask(folder)}
          />
        ))}
      </ul>
      {task === "add" && <AddFolder onClose={close} />}
      {task !== null && task !== "add" && <RemoveFolder folder={task} onClose={close} />}
    </Section>
  );
}

function AddButton({ onClick }: { onClick(): void }) {
  return (
    <button type="button" class="primary" onClick={onClick}>
      {t("folders.add")}
    </button>
  );
}

interface FolderEntryProps {
  readonly folder: Folder;
  readonly work: ProgressEvent | undefined;
  onRemove(): void;
}

function FolderEntry({ folder, work, onRemove }: FolderEntryProps) {
  const { state, origin, files, scannedAt, watched, watchedDetail } = folder;
  const noticed =
    watched === "events"
      ? t("folders.watched")
      : watchedDetail
        ? t("folders.by-interval", { why: watchedDetail })
        : t("folders.interval-only");
  const parts = [
    t("folders.videos", { count: files }),
    folder.otherFiles > 0 && t("folders.others", { count: folder.otherFiles }),
    t(`folders.for-${folder.visibility}`),
    scannedAt && t("folders.scanned", { when: formatAgo(scannedAt) }),
    noticed,
  ];
  return (
    <li class="entry folder-entry">
      <div class="entry-text">
        <span class="entry-name">
          <span class="path">{folder.folder}</span>
          {state === "scanning" && <span class="badge good">{t("folders.scanning")}</span>}
          {state === "unreadable" && <span class="badge warn">{t("folders.unreadable")}</span>}
          {state === "empty" && <span class="badge warn">{t("folders.empty")}</span>}
          {origin === "configuration" && <span class="badge">{t("folders.configured")}</span>}
        </span>
        <span class="meta">{parts.filter((part) => part).join(" · ")}</span>
        {state === "unreadable" && <p class="problem">{t("folders.unreadable-why")}</p>}
        {state === "empty" && <p class="problem">{t("folders.empty-why")}</p>}
        {work?.state === "running" && <Scan work={work} name={folder.folder} />}
        {folder.refusedFiles > 0 && <Refused folder={folder} />}
      </div>
      {origin === "added" && (
        <button type="button" class="plain" aria-label={`${t("folders.remove")}: ${folder.folder}`} onClick={onRemove}>
          {t("folders.remove")}
        </button>
      )}
    </li>
  );
}

function Scan({ work: { done, total }, name }: { work: ProgressEvent; name: string }) {
  const text = total === null ? t("folders.progress-open", { count: done }) : t("folders.progress", { done, total });
  return (
    <div class="scan">
      <progress aria-label={name} {...(total === null ? {} : { value: done, max: Math.max(1, total) })} />
      <span class="meta">{text}</span>
    </div>
  );
}

function Refused({ folder: { folder, refused, refusedFiles } }: { folder: Folder }) {
  return (
    <details>
      <summary>{t("folders.refused", { count: refusedFiles })}</summary>
      <ul class="refused">
        {refused.map(({ path, code, detail }) => (
          <li key={path}>
            <span class="path">{path || folder}</span>
            <span class="meta">
              {findText(`taken.${refusalOf(code, detail)}`) ?? messageOf(new ApiError(422, code, detail))}
            </span>
            {hasMore(code) && (
              <details class="meta">
                <summary aria-label={t("folders.technical-of", { path })}>{t("folders.technical")}</summary>
                <p>{detail}</p>
              </details>
            )}
          </li>
        ))}
      </ul>
      {refused.length < refusedFiles && <p class="meta">{t("folders.refused-more", { count: refused.length })}</p>}
    </details>
  );
}

/** Where the server knows more than what is said of all files with this code. */
const hasMore = (code: string) => code === "not-a-video" || code === "truncated" || code === "unreadable";

/** What to do about a folder that is refused. Of the other rules, the server says in English which one it is. */
function refuse(error: unknown): never {
  if (!(error instanceof ApiError)) throw error;
  const text = findText(`folders.${String(error.members.reason)}`);
  if (text !== null) throw new Error(text);
  const isRule = [400, 403, 409].includes(error.status);
  throw isRule && language.value !== "en" ? new Error(t("folders.cannot-add")) : error;
}

function AddFolder({ onClose }: { onClose(hasChanged: boolean): void }) {
  const add = async (fields: FormData) => {
    const body = { path: String(fields.get("path")).trim(), visibility: fields.get("visibility") };
    await call("POST", "/api/library/folders", body).catch(refuse);
    notify(t("folders.added"), { about: "folders" });
    onClose(true);
    return "stay" as const;
  };
  return (
    <FormDialog heading={t("folders.add")} submit={t("folders.add")} onSubmit={add} onClose={() => onClose(false)}>
      <label class="field">
        <span>{t("folders.path")}</span>
        <input name="path" class="code" required maxLength={4096} autocomplete="off" spellcheck={false} autofocus />
        <small>{t("folders.path-hint")}</small>
      </label>
      <fieldset>
        <legend>{t("folders.visibility")}</legend>
        {visibilities.map((visibility) => (
          <label key={visibility} class="choice">
            <input type="radio" name="visibility" value={visibility} defaultChecked={visibility === "members"} />
            {t(`folders.for-${visibility}`)}
          </label>
        ))}
      </fieldset>
    </FormDialog>
  );
}
