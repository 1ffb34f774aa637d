import { formatNumber, locale } from "./i18n/i18n.ts";

const steps: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** `3 minutes ago`, `in 2 days`, `this minute`, in the reader's own language. */
export function formatAgo(iso: string, nowMs = Date.now()): string {
  const seconds = (Date.parse(iso) - nowMs) / 1000;
  const format = new Intl.RelativeTimeFormat(locale.value, { numeric: "auto" });
  for (const [unit, size] of steps)
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
  return format.format(0, "minute");
}

/** `12 Mar 2026, 14:05`, in the reader's own language. */
export function formatMoment(iso: string): string {
  return new Date(iso).toLocaleString(locale.value, { dateStyle: "medium", timeStyle: "short" });
}

const parts = [
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const;

/** `3 minutes 12 seconds`, in the reader's own language, for what is read aloud. */
export function formatSpokenDuration(seconds: number): string {
  let rest = Math.max(0, Math.round(seconds));
  const said: string[] = [];
  for (const [unit, size] of parts) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0 || (unit === "second" && said.length === 0))
      said.push(formatNumber(count, { style: "unit", unit, unitDisplay: "long" }));
  }
  return said.join(" ");
}
