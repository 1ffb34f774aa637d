import type { Title, Visibility } from "../../catalog/contract.ts";
import { ApiError, call, messageOf } from "../api.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/manage.ts";
import { notify } from "../notices.tsx";
import { deletedAddress } from "../session.ts";
import { type TitleBefore, undoing } from "./undoing.ts";
import { changeKept, titlesChanged } from "./use-titles.ts";

/** The most that one request changes. */
const AT_ONCE = 200;
/** As long as the server can take a deletion back. */
const UNDO_SECONDS = 60;
/** What deleting and bringing back are told with: the last of them is what counts. */
const about = "many-titles";

export interface Changes {
  readonly addTags?: readonly string[];
  readonly removeTags?: readonly string[];
  readonly visibility?: Visibility;
  readonly delete?: true;
  readonly restore?: true;
}

/** Told how many are done, where it takes several requests. */
type Progress = (done: number) => void;

interface Results {
  readonly items: readonly {
    readonly id: string;
    readonly title: Title | null;
    readonly error: { readonly code: string; readonly status: number; readonly detail: string } | null;
  }[];
}

/**
 * Changes many titles and says so, with a way to take it back; rejects with the reason when none could be. `before` are those whose
 * state is known: a title that had a tag keeps it when adding that is taken back.
 */
export async function changeMany(
  ids: readonly string[],
  changes: Changes,
  before: readonly TitleBefore[],
  onProgress?: Progress,
): Promise<void> {
  const { done: changed, problem } = await trySend(ids, changes, onProgress);
  titlesChanged();
  if (changed.length === 0) throw new Error(problem ?? "");
  if (problem !== null) notify(problem, { kind: "error" });
  const undo = async () => {
    let back = 0;
    for (const step of undoing(changed, changes, before)) back += (await send(step.ids, step.changes)).length;
    titlesChanged();
    if (back > 0) notify(t("manage.changed-back", { count: back }));
  };
  notify(t("manage.changed", { count: changed.length }), {
    action: { label: t("do.undo"), run: undo },
    seconds: UNDO_SECONDS,
  });
}

/** Deletes many titles, with a way to take it back; the ids of those that are gone. */
export async function deleteMany(wanted: readonly string[], onProgress?: Progress): Promise<string[]> {
  const gone = await send(wanted, { delete: true }, onProgress);
  if (gone.length === 0) return gone;
  const ids = new Set(gone);
  changeKept((title) => (ids.has(title.id) ? null : title));
  const restore = async () => {
    const back = await send(gone, { restore: true });
    titlesChanged();
    if (back.length > 0) notify(t("manage.restored", { count: back.length }), { about });
  };
  notify(t("manage.deleted", { count: gone.length }), {
    action: { label: t("do.undo"), run: restore },
    link: { label: t("library.deleted"), address: deletedAddress },
    about,
    seconds: UNDO_SECONDS,
  });
  return gone;
}

/** The ids for which it was done; what was refused is said. */
async function send(ids: readonly string[], changes: Changes, onProgress?: Progress): Promise<string[]> {
  const { done, problem } = await trySend(ids, changes, onProgress);
  if (problem !== null) notify(problem, { kind: "error" });
  return done;
}

/** The ids for which it was done, and why not for the others. */
async function trySend(
  ids: readonly string[],
  changes: Changes,
  onProgress?: Progress,
): Promise<{ readonly done: string[]; readonly problem: string | null }> {
  const done: string[] = [];
  const refused: { status: number; code: string; detail: string }[] = [];
  try {
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      // What one request does needs no progress.
      if (from > 0) onProgress?.(from);
      const body = { ids: ids.slice(from, from + AT_ONCE), ...changes };
      const { items } = await call<Results>("POST", "/api/titles/batch", body);
      for (const { id, error } of items) error ? refused.push(error) : done.push(id);
    }
  } catch (error) {
    return { done, problem: messageOf(error) };
  }
  const [first] = refused;
  if (!first) return { done, problem: null };
  const reason = messageOf(new ApiError(first.status, first.code, first.detail));
  return { done, problem: t("manage.refused", { count: refused.length, reason }) };
}
