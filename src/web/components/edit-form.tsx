import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { messageOf } from "../api.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/edit.ts";
import { EditConflict, type EditedField } from "./save-edit.ts";

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

/** Edits what has a name and a description. Has the focus while it is there, and gives it back to what opened it. */
export function EditForm({ label, name, description, children, more, onSave, onCancel }: EditFormProps) {
  const [problem, setProblem] = useState<string | null>(null);
  const [conflict, setConflict] = useState<EditConflict | null>(null);
  const [busy, setBusy] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  // Browsers heed `autofocus` only where nothing had the focus before.
  useLayoutEffect(() => first.current?.focus(), []);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (busy) return;
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    setBusy(true);
    setProblem(null);
    setConflict(null);
    try {
      await onSave((field) => String(data.get(field) ?? "").trim());
    } catch (error) {
      if (error instanceof EditConflict) {
        for (const [field, text] of Object.entries(error.taken)) fill(form, field, text);
        setConflict(error);
      } else setProblem(messageOf(error));
      setBusy(false);
    }
  };
  return (
    <form class="editor" onSubmit={(event) => void submit(event)} aria-label={label} data-focus-back>
      <label class="field">
        <span>{t("edit.name")}</span>
        <input ref={first} name="name" defaultValue={name} required maxLength={300} autofocus />
      </label>
      <label class="field">
        <span>{t("edit.description")}</span>
        <textarea name="description" defaultValue={description} maxLength={10_000} rows={4} />
      </label>
      {children}
      {conflict && <Conflict conflict={conflict} />}
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="actions">
        <button type="submit" class="primary" aria-disabled={busy}>
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

/** Puts a text into a field of a form, or chooses it there. */
function fill(form: HTMLFormElement, field: string, text: string): void {
  const control = form.elements.namedItem(field);
  if (control && "value" in control) control.value = text;
}

const textIn = (form: HTMLFormElement, field: string) => String(new FormData(form).get(field) ?? "");

/** What somebody else has made of the fields that were edited here, each to be taken or left; Save takes what is in the form then. */
function Conflict({ conflict: { theirs, fields } }: { conflict: EditConflict }) {
  return (
    <div class="conflict" role="alert">
      <p class="problem">{t("edit.changed-meanwhile")}</p>
      {fields.map((field) => (
        <Their key={field} field={field} text={theirs[field]} />
      ))}
    </div>
  );
}

function Their({ field, text }: { field: EditedField; text: string }) {
  const [mine, setMine] = useState<string | null>(null);
  const headingId = useId();
  const shown = field === "visibility" ? t(`title.${text as "private" | "members" | "public"}`) : text;
  const label = field === "visibility" ? t("edit.who") : t(`edit.${field}`);
  const exchange = ({ currentTarget }: MouseEvent) => {
    const form = (currentTarget as HTMLButtonElement).form;
    if (!form) return;
    setMine(mine === null ? textIn(form, field) : null);
    fill(form, field, mine ?? text);
  };
  return (
    <div class="field">
      <span id={headingId}>{t("edit.theirs", { field: label })}</span>
      {/* A long one is scrolled by keyboard, too. */}
      <output aria-labelledby={headingId} {...(field === "description" ? { tabIndex: 0 } : {})}>
        {shown || "–"}
      </output>
      <button
        type="button"
        aria-label={`${t(mine === null ? "edit.take-theirs" : "edit.take-mine")}: ${label}`}
        onClick={exchange}
      >
        {t(mine === null ? "edit.take-theirs" : "edit.take-mine")}
      </button>
    </div>
  );
}
