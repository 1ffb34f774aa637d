import { effect, signal } from "@preact/signals";
import type { ProgressEvent } from "../main/contract.ts";
import { titlesChanged } from "./pages/use-titles.ts";
import { user } from "./session.ts";

/** What the server works on and was heard of, by id; gone a while after its end. */
export const works = signal<ReadonlyMap<string, ProgressEvent>>(new Map());

const SHOWN_AFTER_END_MS = 6_000;

/** Follows the progress of scans, uploads and jobs for as long as somebody is signed in. */
export function followEvents(): void {
  let source: EventSource | null = null;
  effect(() => {
    source?.close();
    source = null;
    works.value = new Map();
    if (!user.value) return;
    source = new EventSource("/api/events");
    for (const kind of ["scan", "upload", "job"]) source.addEventListener(kind, take);
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
