import { t } from "../i18n/i18n.ts";
import "../messages/en/watch.ts";
import { useState } from "preact/hooks";
import type { Title, Visibility } from "../../catalog/contract.ts";
import { call, messageOf } from "../api.ts";
import { parseTags } from "../components/tags.tsx";

const choices: readonly Visibility[] = ["private", "members", "public"];

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
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    setBusy(true);
    setProblem(null);
    try {
      onSaved(await save(title, text("name"), text("description"), text("visibility"), parseTags(text("tags"))));
    } catch (error) {
      setProblem(messageOf(error));
      setBusy(false);
    }
  };
  return (
    <form class="editor" onSubmit={(event) => void submit(event)} aria-label={t("edit.form")}>
      <label class="field">
        <span>{t("edit.name")}</span>
        <input name="name" defaultValue={title.name} required maxLength={300} autofocus />
      </label>
      <label class="field">
        <span>{t("edit.description")}</span>
        <textarea name="description" defaultValue={title.description} maxLength={10_000} rows={4} />
      </label>
      <label class="field">
        <span>{t("edit.tags")}</span>
        <input name="tags" defaultValue={title.tags.join(", ")} />
        <small>{t("edit.commas")}</small>
      </label>
      <fieldset>
        <legend>{t("edit.who")}</legend>
        {choices.map((value) => (
          <label key={value} class="choice">
            <input type="radio" name="visibility" value={value} defaultChecked={title.visibility === value} />
            <span>
              {t(`title.${value}`)} <small>{t(`edit.${value}-hint`)}</small>
            </span>
          </label>
        ))}
      </fieldset>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="actions">
        <button type="submit" class="primary" disabled={busy}>
          {t("do.save")}
        </button>
        <button type="button" class="plain" onClick={onCancel}>
          {t("do.cancel")}
        </button>
        <button type="button" class="danger apart" disabled={leaving} onClick={onDelete}>
          {t("edit.delete")}
        </button>
      </div>
    </form>
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
