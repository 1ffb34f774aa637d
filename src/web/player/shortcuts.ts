/** What a key does to a player. */
export type Action =
  | { readonly kind: "play" | "mute" | "fullscreen" | "captions" | "picture-in-picture" | "help" | "next" | "previous" }
  | { readonly kind: "seek"; readonly bySeconds: number }
  | { readonly kind: "jump"; readonly toShare: number }
  | { readonly kind: "volume"; readonly by: number }
  | { readonly kind: "speed" | "frame" | "chapter"; readonly step: 1 | -1 };

type Key = Pick<KeyboardEvent, "key" | "altKey" | "ctrlKey" | "metaKey">;

const SMALL_STEP_SECONDS = 5;
const LARGE_STEP_SECONDS = 10;
const VOLUME_STEP = 0.05;

const actions: Readonly<Record<string, Action>> = {
  " ": { kind: "play" },
  k: { kind: "play" },
  ArrowLeft: { kind: "seek", bySeconds: -SMALL_STEP_SECONDS },
  ArrowRight: { kind: "seek", bySeconds: SMALL_STEP_SECONDS },
  j: { kind: "seek", bySeconds: -LARGE_STEP_SECONDS },
  l: { kind: "seek", bySeconds: LARGE_STEP_SECONDS },
  ArrowUp: { kind: "volume", by: VOLUME_STEP },
  ArrowDown: { kind: "volume", by: -VOLUME_STEP },
  m: { kind: "mute" },
  f: { kind: "fullscreen" },
  c: { kind: "captions" },
  p: { kind: "picture-in-picture" },
  "<": { kind: "speed", step: -1 },
  ">": { kind: "speed", step: 1 },
  ",": { kind: "frame", step: -1 },
  ".": { kind: "frame", step: 1 },
  PageUp: { kind: "chapter", step: -1 },
  PageDown: { kind: "chapter", step: 1 },
  N: { kind: "next" },
  P: { kind: "previous" },
  "?": { kind: "help" },
};

/** What a key does; null for one that does nothing, and with Ctrl, Alt or Meta, which are the browser's. */
export function actionOf({ key, altKey, ctrlKey, metaKey }: Key): Action | null {
  if (altKey || ctrlKey || metaKey) return null;
  if (/^[0-9]$/.test(key)) return { kind: "jump", toShare: Number(key) / 10 };
  // With Caps Lock on, letters come large; with Shift, N and P are others.
  return actions[key] ?? (key.length === 1 && key !== "N" && key !== "P" ? (actions[key.toLowerCase()] ?? null) : null);
}

/** Whether an action is one of a single character, which speech recognition and slips of the hand may set off. */
export const isCharacter = ({ key }: Pick<KeyboardEvent, "key">) => key.length === 1 && key !== " ";

const TEXT =
  "input:not([type=checkbox], [type=radio], [type=range], [type=button]), textarea, select, [contenteditable]";
const PRESSED_BY_SPACE =
  "button, a[href], summary, input, [role=button], [role=tab], media-play-button, media-mute-button, media-captions-menu-button, media-fullscreen-button, media-pip-button, media-seek-backward-button, media-seek-forward-button";
const MOVED_BY_ARROWS = "input, [role=slider], [role=tablist], [role=radiogroup], media-time-range, media-volume-range";

/** Whether what has the focus takes this key for itself. `path` leads from it outwards. */
export function isTaken(key: string, path: readonly EventTarget[]): boolean {
  const elements = path.filter((target) => target instanceof Element);
  const any = (selector: string) => elements.some((element) => element.matches(selector));
  if (any(TEXT) || any("dialog, [popover], [role=menu], media-captions-menu")) return true;
  if (key === " ") return any(PRESSED_BY_SPACE);
  return key.startsWith("Arrow") && any(MOVED_BY_ARROWS);
}
