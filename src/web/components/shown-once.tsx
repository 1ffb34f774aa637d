import { useId } from "preact/hooks";
import { copyText } from "../clipboard.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/account.ts";
import { notify } from "../notices.tsx";

/** A secret that is shown this once, to be copied. */
export function ShownOnce({ label, value }: { label: string; value: string }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="field-line">
        <input
          id={id}
          class="code"
          readOnly
          value={value}
          onFocus={({ currentTarget: field }) => {
            field.setSelectionRange(0, field.value.length, "backward");
            // The browser scrolls to the end of what is selected, after this.
            requestAnimationFrame(() => field.scrollTo(0, 0));
          }}
        />
        <CopyButton value={value} />
      </div>
    </div>
  );
}

export function CopyButton({ value }: { value: string }) {
  const copy = async () => {
    if (await copyText(value)) notify(t("account.copied"));
    else notify(t("account.not-copied"), { kind: "error" });
  };
  return (
    <button type="button" onClick={() => void copy()}>
      {t("account.copy")}
    </button>
  );
}
