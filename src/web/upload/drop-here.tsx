import { t } from "../i18n/i18n.ts";
import "../messages/en/upload.ts";

/** Covers the page while files are held over it. */
export function DropHere() {
  return (
    <p class="drop-here" aria-hidden="true">
      {t("tray.drop")}
    </p>
  );
}
