import { formatSpokenDuration } from "../format-time.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/watch.ts";

/** What a screen reader says of a place on the time line: `3 minutes 12 seconds of 1 hour 24 minutes`. */
export function spokenPlace(seconds: number, durationSeconds: number): string {
  return t("player.place", {
    place: formatSpokenDuration(seconds),
    length: formatSpokenDuration(durationSeconds),
  });
}

/**
 * Has the time line of the controls tell its place in our words: its own know two languages, and until the video is
 * there a share of it, such as 0.0376. For the `ref` of the element; the length in seconds is as the lists show it.
 */
export function speakPlace(line: HTMLElement, durationOf: () => number): () => void {
  const range = line.shadowRoot?.querySelector<HTMLInputElement>("input[type=range]");
  if (!range) return () => {};
  const speak = () => {
    const duration = durationOf();
    if (!Number.isFinite(duration)) return;
    const text = spokenPlace(Number(range.value) * duration, duration);
    if (range.getAttribute("aria-valuetext") !== text) range.setAttribute("aria-valuetext", text);
  };
  speak();
  // They write theirs with each step of the time.
  const observer = new MutationObserver(speak);
  observer.observe(range, { attributeFilter: ["aria-valuetext"] });
  return () => observer.disconnect();
}
