import { language } from "../i18n/i18n.ts";

/** Loads the player, with the names of its controls in the language of the page. */
export async function loadPlayer() {
  const words = language.peek() === "es" ? import("./player-words-es.ts") : null;
  const { Player } = await import("./player.tsx");
  // Before the controls are made: they read their names once.
  await words?.catch(() => undefined);
  return Player;
}
