import { language } from "../i18n/i18n.ts";

/** Loads the player, with the names of its controls in the language of the page. */
export async function loadPlayer() {
  const words = loadWords();
  const { Player } = await import("./player.tsx");
  // Before the controls are made: they read their names once.
  await words;
  return Player;
}

/** Brings what the controls are called in the language of the page; without it they are called as in English. */
export async function loadWords(): Promise<void> {
  if (language.peek() === "es") await import("./player-words-es.ts").catch(() => undefined);
}
