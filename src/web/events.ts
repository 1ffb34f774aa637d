import { computed, effect, signal, untracked } from "@preact/signals";
import type { ProgressEvent } from "../main/contract.ts";
import { titlesChanged } from "./pages/use-titles.ts";
import { user } from "./session.ts";

/** What the server works on and was heard of, by id; gone a while after its end. */
export const works = signal<ReadonlyMap<string, ProgressEvent>>(new Map());

/** Grows with every stream that begins, changes or ends: one's own, and all of them for admins. */
export const streamChanges = signal(0);

const SHOWN_AFTER_END_MS = 6_000;
const ASK_AGAIN_MS = 15_000;

/**
 * Follows the progress of scans, uploads and jobs for as long as somebody is signed in and sees the page. A browser has
 * six connections to a server, pages in the background and in its history would keep one each; over HTTP/1.1 the next
 * page would wait for ever.
 */
export function followEvents(): void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const close = () => {
    source?.close();
    source = null;
    clearTimeout(timer);
  };
  const open = () => {
    const opened = new EventSource("/api/events");
    source = opened;
    opened.addEventListener("stream", () => streamChanges.value++);
    for (const kind of ["scan", "upload", "job"]) opened.addEventListener(kind, take);
    opened.addEventListener("error", () => {
      // A lost connection is taken up again by the browser; after a refusal it gives up.
      if (source === opened && opened.readyState === EventSource.CLOSED) timer = setTimeout(open, ASK_AGAIN_MS);
    });
  };
  const userId = computed(() => user.value?.id);
  const isSeen = signal(document.visibilityState === "visible");
  const look = ({ type }: Event) => {
    isSeen.value = type !== "pagehide" && document.visibilityState === "visible";
  };
  document.addEventListener("visibilitychange", look);
  for (const type of ["pagehide", "pageshow"]) addEventListener(type, look);
  let isBack = false;
  effect(() => {
    close();
    works.value = new Map();
    if (userId.value === undefined || !isSeen.value) return;
    open();
    // What ended meanwhile was not heard.
    if (isBack) untracked(titlesChanged);
    isBack = true;
  });
}

function take({ data }: MessageEvent<string>): void {
  const event = JSON.parse(data) as ProgressEvent;
  works.value = new Map(works.peek()).set(event.id, event);
  if (event.state === "running") return;
  titlesChanged();
  setTimeout(() => {
    if (works.peek().get(event.id) !== event) return;
    const rest = new Map(works.peek());
    rest.delete(event.id);
    works.value = rest;
  }, SHOWN_AFTER_END_MS);
}
