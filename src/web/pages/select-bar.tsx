import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Visibility } from "../../catalog/contract.ts";
import { messageOf } from "../api.ts";
import { AddToCollection } from "../collections/add-to-collection.tsx";
import { FormDialog } from "../components/form-dialog.tsx";
import { Menu } from "../components/menu.tsx";
import { parseTags } from "../components/parse-tags.ts";
import { TagsField } from "../components/tags-field.tsx";
import { t } from "../i18n/i18n.ts";
import "../messages/en/manage.ts";
import { notify } from "../notices.tsx";
import { mayHideTitle, user } from "../session.ts";
import { type Changes, changeMany, deleteMany } from "./change-many.ts";
import { useSelectAll } from "./select-all.ts";
import type { Selection } from "./selection.ts";
import type { TitleList } from "./use-titles.ts";

/** More are not deleted without a question. */
const UNASKED = 20;

const visibilities: readonly Visibility[] = ["private", "members", "public"];

/** What can be done with the selected titles. */
export function SelectBar({ selection, list }: { selection: Selection; list: TitleList }) {
  const [dialog, setDialog] = useState<"tags" | "collection" | "delete" | null>(null);
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
  /** Rejects with the reason when none could be changed. */
  const change = async (changes: Changes) => {
    try {
      await changeMany(ids, changes, all.known, setDone);
      selection.end();
    } finally {
      setDone(null);
      list.reload();
    }
  };
  const progress = done !== null && <span class="meta"> {t("manage.done-of", { done, of: ids.length })}</span>;
  const say = (error: unknown) => notify(messageOf(error), { kind: "error" });
  return (
    <fieldset class="play-bar select-bar" data-focus-back>
      <legend class="visually-hidden">{t("manage.bar")}</legend>
      <p role="status">
        <strong>{t("manage.selected", { count: ids.length })}</strong>
        {all.found !== null && <span class="meta"> {t("manage.finding", { count: all.found })}</span>}
        {progress}
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
            <button
              key={visibility}
              type="button"
              class="menu-item"
              onClick={() => void change({ visibility }).catch(say)}
            >
              {t(`title.${visibility}`)}
            </button>
          ))}
        </Menu>
        <button
          type="button"
          class="danger"
          disabled={none}
          onClick={() => (ids.length > UNASKED ? setDialog("delete") : void remove())}
        >
          {t("do.delete")}
        </button>
        <button type="button" class="plain" onClick={selection.end}>
          {t("do.cancel")}
        </button>
      </div>
      {dialog === "tags" && (
        <TagDialog count={ids.length} onApply={change} onClose={() => setDialog(null)}>
          {progress}
        </TagDialog>
      )}
      {dialog === "delete" && (
        <FormDialog
          heading={t("manage.delete-heading", { count: ids.length })}
          submit={t("do.delete")}
          danger
          onSubmit={async () => void remove()}
          onClose={() => setDialog(null)}
        >
          <p>{t("manage.delete-why")}</p>
        </FormDialog>
      )}
      {dialog === "collection" && (
        <AddToCollection titleIds={ids} onClose={() => setDialog(null)} onAdded={selection.end} />
      )}
    </fieldset>
  );
}

interface TagDialogProps {
  /** How far it is. */
  readonly children: ComponentChildren;
  readonly count: number;
  /** Rejects with what is wrong. */
  onApply(changes: Changes): Promise<void>;
  onClose(): void;
}

function TagDialog({ count, children, onApply, onClose }: TagDialogProps) {
  const [added, setAdded] = useState("");
  const [removed, setRemoved] = useState("");
  const [addTags, removeTags] = [parseTags(added), parseTags(removed)];
  const apply = async () => {
    await onApply({ ...(addTags.length > 0 ? { addTags } : {}), ...(removeTags.length > 0 ? { removeTags } : {}) });
    return undefined;
  };
  return (
    <FormDialog
      heading={t("manage.tag-heading", { count })}
      submit={t("manage.apply")}
      isReady={addTags.length + removeTags.length > 0}
      onSubmit={apply}
      onClose={onClose}
    >
      <TagsField label={t("manage.add-tags")} hint={t("manage.commas")} value={added} onText={setAdded} autofocus />
      <TagsField label={t("manage.remove-tags")} value={removed} onText={setRemoved} />
      <p role="status">{children}</p>
    </FormDialog>
  );
}
