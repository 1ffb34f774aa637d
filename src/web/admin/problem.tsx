import { t } from "../i18n/i18n.ts";
import "../messages/en/core.ts";

/** Why a list is not there, and the way to ask again. */
export function Problem({ text, onRetry }: { text: string; onRetry(): void }) {
  return (
    <div class="actions">
      <p class="problem" role="alert">
        {text}
      </p>
      <button type="button" onClick={onRetry}>
        {t("app.try-again")}
      </button>
    </div>
  );
}
