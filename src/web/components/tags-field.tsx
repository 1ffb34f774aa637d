import { useId, useState } from "preact/hooks";
import { t } from "../i18n/i18n.ts";
import "../messages/en/edit.ts";
import { tagsProblem } from "./parse-tags.ts";

interface TagsFieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly name?: string;
  readonly defaultValue?: string;
  readonly placeholder?: string;
  readonly autofocus?: boolean;
  /** Given by whoever keeps the text; otherwise the field does. */
  readonly value?: string;
  onText?(text: string): void;
}

/** Tags separated by commas. Its form is not sent while they are too long or too many, which is said below it. */
export function TagsField({ label, hint, onText, ...input }: TagsFieldProps) {
  const id = useId();
  const [problem, setProblem] = useState<string | null>(null);
  const check = ({ currentTarget: field }: { currentTarget: HTMLInputElement }) => {
    field.setCustomValidity(sayProblem(field.value) ?? "");
    if (field.validity.valid) setProblem(null);
    onText?.(field.value);
  };
  // In place of the browser's own bubble, which goes away by itself.
  const tell = (event: { currentTarget: HTMLInputElement; preventDefault(): void }) => {
    event.preventDefault();
    const { currentTarget: field } = event;
    setProblem(field.validationMessage);
    if (field.form?.querySelector("input:invalid, textarea:invalid") === field) field.focus();
  };
  const described = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...input}
        id={id}
        aria-invalid={problem !== null}
        aria-describedby={described || undefined}
        onInput={check}
        onInvalid={tell}
      />
      {hint && <small id={`${id}-hint`}>{hint}</small>}
      <p id={`${id}-problem`} class="problem" role="alert">
        {problem}
      </p>
    </div>
  );
}

function sayProblem(text: string): string | null {
  const problem = tagsProblem(text);
  if (problem === null) return null;
  return problem.key === "tags.too-long" ? t(problem.key, problem.values) : t(problem.key, problem.values);
}
