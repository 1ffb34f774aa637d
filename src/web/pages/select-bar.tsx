import { useState } from "preact/hooks";
import type { Visibility } from "../../catalog/contract.ts";
import { AddToCollection } from "../collections/add-to-collection.tsx";
import { Dialog } from "../components/dialog.tsx";
import { Menu } from "../components/menu.tsx";
import { parseTags } from "../components/tags.tsx";
import { t } from "../i18n/i18n.ts";
import "../messages/en/manage.ts";
import { mayHideTitle, user } from "../session.ts";
import { changeMany, deleteMany } from "./change-many.ts";
import { useSelectAll } from "./select-all.ts";
import type { Selection } from "./selection.ts";
import type { TitleList } from "./use-titles.ts";

const visibilities: readonly Visibility[] = ["private", "members", "public"];

/** What can be done with the selected titles. */
export function SelectBar({ selection, list }: { selection: Selection; list: TitleList }) {
  const [dialog, setDialog] = useState<"tags" | "collection" | null>(null);
  const [done, setDone] = useState<number | null>(null);
  const all = useSelectAll(selection, list);
  const ids = [...selection.ids];
  const none = ids.length === 0;
  const chosen = all.known.filter(({ id }) => selection.ids.has(id));
  const mayHide = chosen.every((title) => mayHideTitle(user.value, title));
  const offered = visibilities.filter((visibility) => mayHide || visibility !== "private");
  const remove = async () => {
    const gone = await deleteMany(ids, setDone);
    setDone(null);
    if (gone.length > 0) selection.end();
    list.reload();
  };
  const change = async (changes: Parameters<typeof changeMany>[1]) => {
    const isDone = await changeMany(ids, changes, all.known, setDone);
    setDone(null);
    if (isDone) selection.end();
    list.reload();
  };
  return (
    <fieldset class="play-bar select-bar" data-focus-back>
      <legend class="visually-hidden">{t("manage.bar")}</legend>
      <p role="status">
        <strong>{t("manage.selected", { count: ids.length })}</strong>
        {all.found !== null && <span class="meta"> {t("manage.finding", { count: all.found })}</span>}
        {done !== null && <span class="meta"> {t("manage.done-of", { done, of: ids.length })}</span>}
      </p>
      <div class="actions">
        <button type="button" class="plain" aria-disabled={all.found !== null} onClick={all.start}>
          {t("manage.select-all")}
        </button>
        <button type="button" disabled={none} onClick={() => setDialog("collection")}>
          {t("manage.to-collection")}
        </button>
        <button type="button" disabled={none} onClick={() => setDialog("tags")}>
          {t("manage.tag-them")}
        </button>
        <Menu id="share-menu" disabled={none} button={t("manage.share")}>
          {offered.map((visibility) => (
            <button key={visibility} type="button" class="menu-item" onClick={() => void change({ visibility })}>
              {t(`title.${visibility}`)}
            </button>
          ))}
        </Menu>
        <button type="button" class="danger" disabled={none} onClick={() => void remove()}>
          {t("do.delete")}
        </button>
        <button type="button" class="plain" onClick={selection.end}>
          {t("do.cancel")}
        </button>
      </div>
      {dialog === "tags" && (
        <TagDialog count={ids.length} onApply={(changes) => void change(changes)} onClose={() => setDialog(null)} />
      )}
      {dialog === "collection" && (
        <AddToCollection titleIds={ids} onClose={() => setDialog(null)} onAdded={selection.end} />
      )}
    </fieldset>
  );
}

interface TagDialogProps {
  readonly count: number;
  onApply(changes: { addTags?: readonly string[]; removeTags?: readonly string[] }): void;
  onClose(): void;
}

function TagDialog({ count, onApply, onClose }: TagDialogProps) {
  const [added, setAdded] = useState("");
  const [removed, setRemoved] = useState("");
  const [addTags, removeTags] = [parseTags(added), parseTags(removed)];
  const apply = () => {
    onClose();
    onApply({ ...(addTags.length > 0 ? { addTags } : {}), ...(removeTags.length > 0 ? { removeTags } : {}) });
  };
  const onEnter = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || addTags.length + removeTags.length === 0) return;
    event.preventDefault();
    apply();
  };
  return (
    <Dialog heading={t("manage.tag-heading", { count })} onClose={onClose}>
      <label class="field">
        <span>{t("manage.add-tags")}</span>
        <input value={added} autofocus onInput={(event) => setAdded(event.currentTarget.value)} onKeyDown={onEnter} />
        <small>{t("manage.commas")}</small>
      </label>
      <label class="field">
        <span>{t("manage.remove-tags")}</span>
        <input value={removed} onInput={(event) => setRemoved(event.currentTarget.value)} onKeyDown={onEnter} />
      </label>
      <div class="actions">
        <button type="button" class="primary" disabled={addTags.length + removeTags.length === 0} onClick={apply}>
          {t("manage.apply")}
        </button>
        <button type="button" class="plain" onClick={onClose}>
          {t("do.cancel")}
        </button>
      </div>
    </Dialog>
  );
}
