import { useState } from "preact/hooks";
import { messageOf } from "../api.ts";
import { Dialog } from "../components/dialog.tsx";
import { t } from "../i18n/i18n.ts";
import "../messages/en/collections.ts";

interface NameDialogProps {
  readonly heading: string;
  readonly name?: string;
  readonly description?: string;
  /** Rejects with what is wrong. */
  onSave(name: string, description: string): Promise<void>;
  onClose(): void;
}

/** Asks for the name and description of a collection. */
export function NameDialog({ heading, name = "", description = "", onSave, onClose }: NameDialogProps) {
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    try {
      await onSave(String(form.get("name")).trim(), String(form.get("description")).trim());
      onClose();
    } catch (error) {
      setProblem(messageOf(error));
      setBusy(false);
    }
  };
  return (
    <Dialog heading={heading} onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <label class="field">
          <span>{t("collections.name")}</span>
          <input name="name" defaultValue={name} required maxLength={300} autofocus />
        </label>
        <label class="field">
          <span>{t("collections.description")}</span>
          <textarea name="description" defaultValue={description} maxLength={10_000} rows={3} />
        </label>
        {problem && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        <div class="actions">
          <button type="submit" class="primary" disabled={busy}>
            {t("do.save")}
          </button>
          <button type="button" class="plain" onClick={onClose}>
            {t("do.cancel")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
