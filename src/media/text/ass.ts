import type { Cue } from "./cue.ts";
import { escapeCueText, longestText, tidyLines } from "./cue-text.ts";
import { settingsOf } from "./subrip.ts";

/** Fields of an event before its text, as Matroska has it: ReadOrder, Layer, Style, Name, three margins, Effect. */
const fieldsBefore = 8;
/** `{\p1}` and above: what follows is drawn, not read. */
const drawing = /\{[^{}]*\\p[1-9]/;
const overrides = /(\{[^{}]*\})/;
/** Bold, italic and underlined, switched on and off. */
const faces = /\\([biu])([01])(?=[\\}])/g;

/** The cue in an event of SubStation Alpha: its words, their faces, and whether they stand at the top or in the middle. */
export function assCue(startMs: number, endMs: number, event: string): Cue | null {
  const told = textOf(event)?.slice(0, longestText) ?? "";
  if (drawing.test(told) || endMs <= startMs) return null;
  const text = tidyLines(markUp(told.replaceAll(/\\[Nn]/g, "\n").replaceAll("\\h", " ")));
  return text === "" ? null : { startMs, endMs, text, settings: settingsOf(told) };
}

function textOf(event: string): string | null {
  let at = 0;
  for (let i = 0; i < fieldsBefore; i++) {
    at = event.indexOf(",", at) + 1;
    if (at === 0) return null;
  }
  return event.slice(at);
}

function markUp(text: string): string {
  let open: readonly string[] = [];
  const parts = text.split(overrides).map((part) => {
    if (!overrides.test(part)) return escapeCueText(part);
    const next = facesAfter(part, open);
    const tags = next.join() === open.join() ? "" : closing(open) + opening(next);
    open = next;
    return tags;
  });
  return parts.join("") + closing(open);
}

function facesAfter(block: string, before: readonly string[]): string[] {
  const open = new Set(before);
  for (const [, face = "", state] of block.matchAll(faces)) {
    if (state === "1") open.add(face);
    else open.delete(face);
  }
  return [...open].sort();
}

const opening = (open: readonly string[]) => open.map((face) => `<${face}>`).join("");
const closing = (open: readonly string[]) =>
  open
    .toReversed()
    .map((face) => `</${face}>`)
    .join("");
