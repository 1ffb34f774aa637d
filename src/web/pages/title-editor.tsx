import { useRef } from "preact/hooks";
import type { Title } from "../../catalog/contract.ts";
import { EditForm } from "../components/edit-form.tsx";
import { parseTags } from "../components/parse-tags.ts";
import { EditConflict, saveEdit } from "../components/save-edit.ts";
import { TagsField } from "../components/tags-field.tsx";
import { VisibilityChoice } from "../components/visibility-choice.tsx";
import { t } from "../i18n/i18n.ts";
import "../messages/en/edit.ts";
import { mayHideTitle, user } from "../session.ts";

interface TitleEditorProps {
  readonly title: Title;
  /** Whether it is being deleted. */
  readonly leaving: boolean;
  onSaved(title: Title): void;
  onCancel(): void;
  onDelete(): void;
}

/** Name, description, tags and who may see it; and the way to delete it. */
export function TitleEditor({ title, leaving, onSaved, onCancel, onDelete }: TitleEditorProps) {
  /** As it was when editing began, or when somebody else's changes were shown last. */
  const base = useRef(title);
  const send = async (text: (field: string) => string) => {
    const mine = { name: text("name"), description: text("description"), visibility: text("visibility") };
    try {
      onSaved(await save(base.current, mine, parseTags(text("tags"))));
    } catch (error) {
      if (error instanceof EditConflict) base.current = error.theirs as Title;
      throw error;
    }
  };
  return (
    <EditForm
      label={t("edit.form")}
      name={title.name}
      description={title.description}
      onSave={send}
      onCancel={onCancel}
      more={
        <button type="button" class="danger apart" disabled={leaving} onClick={onDelete}>
          {t("edit.delete")}
        </button>
      }
    >
      <TagsField label={t("edit.tags")} hint={t("edit.commas")} name="tags" defaultValue={title.tags.join(", ")} />
      <VisibilityChoice chosen={title.visibility} mayHide={mayHideTitle(user.value, title)} />
    </EditForm>
  );
}

/** Sends only what changed, all of it at once; the title as the server has it afterwards. `EditConflict` when somebody else has changed the same. */
async function save(
  base: Title,
  mine: Pick<Title, "name" | "description"> & { readonly visibility: string },
  tags: string[],
): Promise<Title> {
  const added = tags.filter((tag) => !base.tags.includes(tag));
  const removed = base.tags.filter((tag) => !tags.includes(tag));
  /** Tags that somebody else gave it meanwhile stay, those they took away stay away. */
  const tagsOf = (now: Title) => {
    const kept = now.tags.filter((tag) => !removed.includes(tag));
    return [...kept, ...added.filter((tag) => !kept.includes(tag))];
  };
  try {
    return await saveEdit(`/api/titles/${base.id}`, base, mine, (now) => {
      const wanted = tagsOf(now);
      return wanted.join() === now.tags.join() ? {} : { tags: wanted };
    });
  } catch (error) {
    if (!(error instanceof EditConflict)) throw error;
    const theirs = error.theirs as Title;
    throw new EditConflict(theirs, error.fields, { ...error.taken, tags: tagsOf(theirs).join(", ") });
  }
}
