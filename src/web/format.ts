import { formatNumber, locale, t } from "./i18n/i18n.ts";
import "./messages/en/core.ts";
/** `0:07`, `12:34`, `1:02:03`; a dash for what is not known. */
export function formatDuration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return "–";
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

const units = ["B", "KB", "MB", "GB", "TB"] as const;

/** Three digits at most, powers of 1,000: `512 B`, `1.2 MB`, `38 GB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = value >= 9.95 || unit === 0 ? 0 : 1;
  const number = formatNumber(value, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${number} ${units[unit]}`;
}

/** `4 s left`, `3 min left`, `1 h 20 min left`. */
export function formatTimeLeft(seconds: number): string {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 60) return t("time.seconds-left", { count: Math.max(1, Math.round(seconds)) });
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return t("time.minutes-left", { count: minutes });
  return t("time.hours-left", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}

/** `12 Mar 2026`, in the reader's own language. */
export function formatDate(iso: string): string {
  return new Date(iso).toLocaleDateString(locale.value, { day: "numeric", month: "short", year: "numeric" });
}

/** `12 Mar 2026, 18:05`, in the reader's own language and time. */
export function formatMoment(iso: string): string {
  return new Date(iso).toLocaleString(locale.value, { dateStyle: "medium", timeStyle: "short" });
}

const codecNames: Readonly<Record<string, string>> = {
  h264: "H.264",
  h265: "H.265 (HEVC)",
  vp8: "VP8",
  vp9: "VP9",
  av1: "AV1",
  aac: "AAC",
  opus: "Opus",
  flac: "FLAC",
  mp3: "MP3",
  ac3: "AC-3 (Dolby Digital)",
  eac3: "E-AC-3 (Dolby Digital Plus)",
  h266: "H.266 (VVC)",
  mpeg1: "MPEG-1",
  mpeg2: "MPEG-2",
  mpeg4: "MPEG-4 part 2",
  prores: "ProRes",
  vorbis: "Vorbis",
  "aac-latm": "AAC (LATM)",
};

/** The name people know a codec by. */
export function formatCodec(codec: string): string {
  return codecNames[codec] ?? codec.toUpperCase();
}

/** A file's name without its extension, as a video's first name. */
export function nameOfFile(filename: string): string {
  return filename.replace(/\.[A-Za-z0-9]{1,5}$/, "").trim() || filename;
}

/** The first letters of the first two words that have any: what stands for a picture that is not there. */
export function initialsOf(name: string): string {
  const words = name.match(/[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu) ?? [];
  return words
    .slice(0, 2)
    .map((word) => [...word][0]?.toLocaleUpperCase() ?? "")
    .join("");
}

/** Degrees on the colour circle, far apart for most ids and always the same for one. */
export function hueOf(id: string): number {
  let hash = 0;
  for (const character of id) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) | 0;
  return Math.abs(Math.imul(hash, 0x9e3779b1) >> 8) % 360;
}
