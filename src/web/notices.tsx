import { signal } from "@preact/signals";
import { messageOf } from "./api.ts";
import { t } from "./i18n/i18n.ts";

interface Notice {
  readonly id: number;
  readonly text: string;
  readonly kind: "info" | "error";
  readonly action: { readonly label: string; run(): Promise<void> } | null;
  /** Where more of it is. */
  readonly link: { readonly label: string; readonly address: string } | null;
  /** What it is about: the next one about the same replaces it. */
  readonly about: string | null;
}

/** No more stand there at once: the oldest go, those that say what went wrong last. */
const MOST = 3;

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

interface NoticeOptions extends Partial<Pick<Notice, "kind" | "action" | "link" | "about">> {
  readonly seconds?: number;
}

/** Says something at the edge of the page for a while, with at most one thing to do about it and a way to more. */
export function notify(text: string, options: NoticeOptions = {}): void {
  const id = ++lastId;
  const { kind = "info", action = null, link = null, about = null } = options;
  for (const notice of notices.value) if (about !== null && notice.about === about) dismiss(notice.id);
  while (notices.value.length >= MOST) {
    const oldest = notices.value.find((notice) => notice.kind !== "error") ?? notices.value[0];
    if (oldest) dismiss(oldest.id);
  }
  notices.value = [...notices.value, { id, text, kind, action, link, about }];
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
          {notice.link && (
            <a href={notice.link.address} onClick={() => dismiss(notice.id)}>
              {notice.link.label}
            </a>
          )}
          <button type="button" class="plain close" aria-label={t("do.dismiss")} onClick={() => dismiss(notice.id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
