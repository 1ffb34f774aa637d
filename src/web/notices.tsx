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

/** Seconds that each stays. */
const left = new Map<number, number>();
let timer: ReturnType<typeof setInterval> | undefined;
/** At least this long after somebody was at one. */
const AFTERWARDS = 4;

/** Time to read it, and to decide where there is something to do. */
function secondsFor(text: string, { kind, action }: { kind?: Notice["kind"]; action?: Notice["action"] }): number {
  return Math.max(8, 4 + text.length / 10) + (action ? 4 : 0) + (kind === "error" ? 4 : 0);
}

/** Their time stands still while pointer or focus is on one of them, or nobody sees the page. */
function passSecond(): void {
  const isHeld = document.hidden || document.querySelector(".notice:is(:hover, :focus-within)") !== null;
  for (const [id, seconds] of left) {
    if (isHeld) left.set(id, Math.max(seconds, AFTERWARDS));
    else if (seconds > 1) left.set(id, seconds - 1);
    else dismiss(id);
  }
}

/** Says something at the edge of the page for a while, with at most one thing to do about it. */
export function notify(
  text: string,
  options: { kind?: Notice["kind"]; action?: Notice["action"]; seconds?: number } = {},
): void {
  const id = ++lastId;
  notices.value = [...notices.value, { id, text, kind: options.kind ?? "info", action: options.action ?? null }];
  left.set(id, options.seconds ?? secondsFor(text, options));
  timer ??= setInterval(passSecond, 1000);
}

function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
  left.delete(id);
  if (left.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}

/** Takes all of them away: they were for somebody who has left. */
export function dismissAll(): void {
  for (const { id } of notices.value) dismiss(id);
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
    <div class="notices" role="status" aria-live="polite" data-focus-back>
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
