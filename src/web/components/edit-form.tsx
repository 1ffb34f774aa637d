import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { messageOf } from "../api.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/edit.ts";

interface EditFormProps {
  readonly label: string;
  readonly name: string;
  readonly description: string;
  /** Fields below name and description. */
  readonly children?: ComponentChildren;
  /** What stands beside Save and Cancel. */
  readonly more?: ComponentChildren;
  /** `text` gives a field's text by its name. Rejects with what is wrong, which is shown. */
  onSave(text: (field: string) => string): Promise<void>;
  onCancel(): void;
}

/** Edits what has a name and a description. */
export function EditForm({ label, name, description, children, more, onSave, onCancel }: EditFormProps) {
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setProblem(null);
    try {
      await onSave((field) => String(form.get(field) ?? "").trim());
    } catch (error) {
      setProblem(messageOf(error));
      setBusy(false);
    }
  };
  return (
    <form class="editor" onSubmit={(event) => void submit(event)} aria-label={label}>
      <label class="field">
        <span>{t("edit.name")}</span>
        <input name="name" defaultValue={name} required maxLength={300} autofocus />
      </label>
      <label class="field">
        <span>{t("edit.description")}</span>
        <textarea name="description" defaultValue={description} maxLength={10_000} rows={4} />
      </label>
      {children}
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
        {more}
      </div>
    </form>
  );
}
