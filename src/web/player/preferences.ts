import { signal } from "@preact/signals";

/** How somebody likes to watch, kept in this browser. */
export interface Preferences {
  readonly captionSize: (typeof captionSizes)[number];
  readonly captionColour: (typeof captionColours)[number];
  readonly captionBackground: (typeof captionBackgrounds)[number];
  /** Whether the next video of a collection begins by itself. */
  readonly playsNext: boolean;
  /** Whether single characters do something (WCAG 2.1.4 asks for a way to switch them off). */
  readonly characterKeys: boolean;
}

export const captionSizes = ["small", "normal", "large", "huge"] as const;
export const captionColours = ["white", "yellow", "green", "cyan"] as const;
export const captionBackgrounds = ["none", "shade", "black"] as const;

const defaults: Preferences = {
  captionSize: "normal",
  captionColour: "white",
  captionBackground: "shade",
  playsNext: true,
  characterKeys: true,
};

const STORED = "kinora-player";

export const preferences = signal<Preferences>(read());

/** Changes some and keeps them. */
export function prefer(changes: Partial<Preferences>): void {
  preferences.value = { ...preferences.peek(), ...changes };
  localStorage.setItem(STORED, JSON.stringify(preferences.peek()));
}

/** What was kept, as far as it still is one of the choices. */
export function preferencesOf(stored: string | null): Preferences {
  let kept: Partial<Record<keyof Preferences, unknown>> = {};
  try {
    kept = Object(JSON.parse(stored ?? "{}"));
  } catch {
    // Not ours: as if there were none.
  }
  const one = <T>(choices: readonly T[], value: unknown, otherwise: T) =>
    choices.find((choice) => choice === value) ?? otherwise;
  return {
    captionSize: one(captionSizes, kept.captionSize, defaults.captionSize),
    captionColour: one(captionColours, kept.captionColour, defaults.captionColour),
    captionBackground: one(captionBackgrounds, kept.captionBackground, defaults.captionBackground),
    playsNext: kept.playsNext !== false,
    characterKeys: kept.characterKeys !== false,
  };
}

function read(): Preferences {
  return typeof localStorage === "undefined" ? defaults : preferencesOf(localStorage.getItem(STORED));
}
