import { computed, effect, signal, untracked } from "@preact/signals";
import type { ProgressEvent } from "../main/contract.ts";
import { titlesChanged } from "./pages/use-titles.ts";
import { loadSession, signingOut, user } from "./session.ts";
import { shareEvents, type Tell } from "./share-events.ts";

/** What the server works on and was heard of, by id; gone a while after its end. */
export const works = signal<ReadonlyMap<string, ProgressEvent>>(new Map());

/** Grows with every stream that begins, changes or ends: one's own, and all of them for admins. */
export const streamChanges = signal(0);

const SHOWN_AFTER_END_MS = 6_000;
const ASK_AGAIN_MS = 15_000;

/**
 * Follows the progress of scans, uploads and jobs for as long as somebody is signed in and sees the page. Pages in the
 * background and in the history of the browser have no part in it.
 */
export function followEvents(): void {
  const userId = computed(() => user.value?.id);
  const isSeen = signal(document.visibilityState === "visible");
  const look = ({ type }: Event) => {
    isSeen.value = type !== "pagehide" && type !== "freeze" && document.visibilityState === "visible";
  };
  for (const type of ["visibilitychange", "freeze", "resume"]) document.addEventListener(type, look);
  for (const type of ["pagehide", "pageshow"]) addEventListener(type, look);
  let isBack = false;
  let leave: ((signedOut: boolean) => void) | null = null;
  effect(() => {
    leave?.(userId.value === undefined);
    leave = null;
    works.value = new Map();
    if (userId.value === undefined || !isSeen.value) return;
    leave = shareEvents(userId.value, {
      connect,
      take,
      known: () => works.peek(),
      learn: (known) => {
        works.value = known;
      },
      onSignedOut: askWhoIsHere,
    });
    // What ended meanwhile was not heard.
    if (isBack) untracked(titlesChanged);
    isBack = true;
  });
}

/** Where nobody is signed in any more, the page finds out by this. */
const askWhoIsHere = () => void loadSession().catch(() => undefined);

function connect(tell: Tell): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const open = () => {
    const opened = new EventSource("/api/events");
    source = opened;
    opened.addEventListener("open", () => tell("open", ""));
    for (const kind of ["stream", "scan", "upload", "job"])
      opened.addEventListener(kind, ({ data }: MessageEvent<string>) => tell(kind, data));
    opened.addEventListener("error", ({ target }) => {
      // A lost connection is taken up again by the browser; after a refusal it gives up.
      if (source !== target || opened.readyState !== EventSource.CLOSED) return;
      askWhoIsHere();
      timer = setTimeout(open, ASK_AGAIN_MS);
    });
  };
  const close = () => {
    source?.close();
    clearTimeout(timer);
  };
  // From the moment that the session ends there, the server cuts the connection and refuses another one.
  const stop = effect(() => (signingOut.value ? close() : open()));
  return () => {
    stop();
    close();
  };
}

function take(kind: string, data: string): void {
  // Nothing is read any more with a session that is about to be over.
  if (signingOut.peek()) return;
  if (kind === "stream" || kind === "open") streamChanges.value++;
  // What happened before it was open, or between two connections, was not heard.
  if (kind === "open") titlesChanged();
  if (kind === "stream" || kind === "open") return;
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
