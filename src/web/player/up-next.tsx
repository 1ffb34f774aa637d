import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n/i18n.ts";
import "../messages/en/watch.ts";

const WAIT_SECONDS = 6;

interface UpNextProps {
  readonly name: string;
  onPlay(): void;
  onCancel(): void;
}

/** After the end: what comes next, in a few seconds unless somebody says no. */
export function UpNext({ name, onPlay, onCancel }: UpNextProps) {
  const [left, setLeft] = useState(WAIT_SECONDS);
  useEffect(() => {
    if (left === 0) return onPlay();
    const timer = setTimeout(() => setLeft(left - 1), 1000);
    return () => clearTimeout(timer);
  }, [left]);
  return (
    <div class="up-next">
      {/* Said once, not at each second. */}
      <p role="status">
        <span class="meta">{t("player.up-next")}</span> {name}
      </p>
      <p class="actions">
        <button type="button" class="primary" onClick={onPlay}>
          {t("player.play-now")}
          <span aria-hidden="true" class="left">
            {left}
          </span>
        </button>
        <button type="button" onClick={onCancel}>
          {t("do.cancel")}
        </button>
      </p>
    </div>
  );
}
