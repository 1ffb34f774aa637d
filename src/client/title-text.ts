import type { Title } from "../catalog/contract.ts";
import type { Column } from "./terminal/table.ts";

const UNITS = ["B", "KB", "MB", "GB", "TB"];

/** A size for people, in powers of 1,000: `1.5 GB`. */
export function sizeText(bytes: number): string {
  let unit = 0;
  let amount = bytes;
  while (amount >= 999.5 && unit < UNITS.length - 1) {
    amount /= 1000;
    unit++;
  }
  return `${unit === 0 || amount >= 99.95 ? Math.round(amount) : amount.toFixed(1)} ${UNITS[unit]}`;
}

/** A length for people: `1:02:03`, `2:03`. */
export function lengthText(seconds: number | null): string {
  if (seconds === null) return "";
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}

/** Date and time for people, in the terminal's time zone: `2026-01-31 18:05`. */
export function timeText(iso: string): string {
  const date = new Date(iso);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** A title in one line of a list to choose from. */
export function titleLine({ name, durationSeconds, availability }: Title): string {
  const facts = [lengthText(durationSeconds), availability === "ready" ? "" : availability].filter(Boolean);
  return facts.length > 0 ? `${name}  (${facts.join(", ")})` : name;
}

export const titleColumns: readonly Column<Title>[] = [
  { header: "NAME", of: ({ name }) => name, least: 16 },
  { header: "LENGTH", of: ({ durationSeconds }) => lengthText(durationSeconds), align: "right" },
  { header: "SIZE", of: ({ sizeBytes }) => sizeText(sizeBytes), align: "right", expendable: 2 },
  { header: "TAGS", of: ({ tags }) => tags.join(", "), least: 8, expendable: 1 },
  { header: "STATE", of: ({ availability }) => availability, expendable: 4 },
  { header: "OWNER", of: ({ owner }) => owner?.username ?? "library", least: 8, expendable: 3 },
  { header: "ID", of: ({ id }) => id },
];

/** All there is to say of a title, for `Output.pairs`. */
export function titlePairs(title: Title): [string, string | null][] {
  const { video, audio, owner, needsRendition } = title;
  const turned = video && video.rotation !== 0 ? `, turned by ${video.rotation}°` : "";
  return [
    ["Name", title.name],
    ["Id", title.id],
    ["SHA-256", title.mediaId ?? "not known yet"],
    ["State", title.availability],
    ["Length", lengthText(title.durationSeconds) || null],
    ["Size", `${sizeText(title.sizeBytes)} (${title.sizeBytes} bytes)`],
    ["Container", title.container],
    [
      "Video",
      video &&
        `${video.codec}, ${video.width}×${video.height}, ${Number(video.frameRate.toFixed(3))} frames/s${turned}`,
    ],
    ...audio.map((track): [string, string] => [
      "Audio",
      `${track.codec}, ${track.channels} channel${track.channels === 1 ? "" : "s"}, ${track.sampleRate} Hz${track.language ? `, ${track.language}` : ""}`,
    ]),
    ["Note", needsRendition && `Browsers may not play ${needsRendition.codec}: ${needsRendition.reason}`],
    ["Tags", title.tags.join(", ") || null],
    ["Owner", owner?.username ?? "library"],
    ["Seen by", title.visibility],
    ["Added", timeText(title.createdAt)],
    ["About", title.description || null],
  ];
}
