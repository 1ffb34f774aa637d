import { useId, useRef } from "preact/hooks";
import { copyText } from "../clipboard.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/share.ts";

interface AddressProps {
  readonly label: string;
  readonly value: string;
  /** What it is good for. */
  readonly hint: string;
  /** Called with what to say when it was copied, or could not be. */
  onSay(text: string): void;
}

/** An address to give away, with a button that copies it. */
export function Address({ label, value, hint, onSay }: AddressProps) {
  const field = useRef<HTMLInputElement>(null);
  const hintId = useId();
  const copy = async () => {
    if (await copyText(value)) return onSay(t("share.copied"));
    field.current?.select();
    onSay(t("share.copy-yourself"));
  };
  return (
    <div class="address">
      <label>
        <span class="address-label">{label}</span>
        <input
          ref={field}
          readOnly
          value={value}
          aria-describedby={hintId}
          onFocus={(event) => event.currentTarget.select()}
        />
      </label>
      <button type="button" aria-label={t("share.copy-of", { what: label })} onClick={() => void copy()}>
        {t("share.copy")}
      </button>
      <small id={hintId}>{hint}</small>
    </div>
  );
}
