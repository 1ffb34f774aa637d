import { signal } from "@preact/signals";
import { messageOf } from "./api.ts";
import { t } from "./i18n/i18n.ts";

interface Notice {
  readonly id: number;
  readonly text: string;
  readonly kind: "info" | "error";
  readonly action: { readonly label: string; run(): Promise<void> } | null;
}

const notices = signal<readonly Notice[]>([]);
let lastId = 0;

/** Says something at the edge of the page for a while, with at most one thing to do about it. */
export function notify(
  text: string,
  options: { kind?: Notice["kind"]; action?: Notice["action"]; seconds?: number } = {},
): void {
  const id = ++lastId;
  notices.value = [...notices.value, { id, text, kind: options.kind ?? "info", action: options.action ?? null }];
  setTimeout(() => dismiss(id), (options.seconds ?? 8) * 1000);
}

function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

/** Takes all of them away: they were for somebody who has left. */
export function dismissAll(): void {
  notices.value = [];
}

async function act(notice: Notice): Promise<void> {
  dismiss(notice.id);
  try {
    await notice.action?.run();
  } catch (error) {
    notify(messageOf(error), { kind: "error" });
  }
}

/** Where notices appear; stands in the page always, so that screen readers hear of changes. */
export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map((notice) => (
        <div key={notice.id} class={`notice ${notice.kind}`}>
          <span>{notice.text}</span>
          {notice.action && (
            <button type="button" class="plain" onClick={() => void act(notice)}>
              {notice.action.label}
            </button>
          )}
          <button type="button" class="plain close" aria-label={t("do.dismiss")} onClick={() => dismiss(notice.id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
