import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { ApiError, messageOf } from "../api.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/account.ts";
import { Dialog } from "./dialog.tsx";

interface FormDialogProps {
  readonly heading: string;
  readonly submit: string;
  readonly danger?: boolean;
  /** False while what it asks for is still being loaded. */
  readonly isReady?: boolean;
  readonly children?: ComponentChildren;
  /** Rejects with what is wrong; otherwise the dialog closes, unless it answers `stay`. */
  onSubmit(fields: FormData): Promise<"stay" | undefined>;
  onClose(): void;
}

/** A dialog that asks for something, or only whether one is sure. */
export function FormDialog({
  heading,
  submit,
  danger = false,
  isReady = true,
  children,
  onSubmit,
  onClose,
}: FormDialogProps) {
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      if ((await onSubmit(new FormData(event.currentTarget as HTMLFormElement))) !== "stay") return onClose();
    } catch (error) {
      setProblem(explain(error));
    }
    setBusy(false);
  };
  return (
    <Dialog heading={heading} onClose={onClose}>
      <form onSubmit={(event) => void send(event)}>
        {children}
        <p class="problem" role="alert">
          {problem}
        </p>
        <div class="actions">
          <button type="submit" class={danger ? "danger-fill" : "primary"} disabled={!isReady} aria-disabled={busy}>
            {submit}
          </button>
          <button type="button" class="plain" onClick={onClose}>
            {t("do.cancel")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** What a refusal means, with the time to wait where there is one. */
export function explain(error: unknown): string {
  if (error instanceof ApiError && error.status === 429)
    return t("error.too-many", { seconds: error.retryAfterSeconds ?? 30 });
  return messageOf(error);
}
