import type { Title } from "../../catalog/contract.ts";
import { call } from "../api.ts";
import { EditForm } from "../components/edit-form.tsx";
import { parseTags } from "../components/tags.tsx";
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
  const send = async (text: (field: string) => string) =>
    onSaved(await save(title, text("name"), text("description"), text("visibility"), parseTags(text("tags"))));
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
      <label class="field">
        <span>{t("edit.tags")}</span>
        <input name="tags" defaultValue={title.tags.join(", ")} />
        <small>{t("edit.commas")}</small>
      </label>
      <VisibilityChoice chosen={title.visibility} mayHide={mayHideTitle(user.value, title)} />
    </EditForm>
  );
}

/** Sends only what changed; the title as the server has it afterwards. */
async function save(
  title: Title,
  name: string,
  description: string,
  visibility: string,
  tags: string[],
): Promise<Title> {
  const path = `/api/titles/${title.id}`;
  const changes = {
    ...(name === title.name ? {} : { name }),
    ...(description === title.description ? {} : { description }),
    ...(visibility === title.visibility ? {} : { visibility }),
  };
  const added = tags.filter((tag) => !title.tags.includes(tag));
  const removed = title.tags.filter((tag) => !tags.includes(tag));
  let current = title;
  if (Object.keys(changes).length > 0) current = await call<Title>("PATCH", path, changes);
  if (removed.length > 0) {
    const query = new URLSearchParams(removed.map((tag): [string, string] => ["tag", tag]));
    current = await call<Title>("DELETE", `${path}/tags?${query}`);
  }
  if (added.length > 0) current = await call<Title>("POST", `${path}/tags`, { tags: added });
  return current;
}
