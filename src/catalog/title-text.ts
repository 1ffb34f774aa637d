import { NAME_MAX } from "./contract.ts";
import { tagKeyOf } from "./title-index.ts";

/** Characters that nobody sees and that reorder what stands around them, or hide in it: U+202E shows "gpj.exe" as "exe.jpg". */
const REORDERING = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** One line as it is kept: well-formed, NFC, without control characters and those that reorder text, spaces in a row as one. */
export function cleanLine(text: string): string {
  return text
    .toWellFormed()
    .normalize("NFC")
    .replace(REORDERING, " ")
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim();
}

/** Text of several lines as it is kept. */
export function cleanText(text: string): string {
  return text
    .toWellFormed()
    .normalize("NFC")
    .replace(/\r\n?/g, "\n")
    .replace(REORDERING, "")
    .replace(/(?![\n\t])\p{Cc}/gu, " ")
    .trim();
}

/** The name a title gets from a file's name, however that one is. */
export function nameFrom(text: string): string {
  return cleanLine(text).slice(0, NAME_MAX).toWellFormed().trim() || "Untitled";
}

/** Tags with others added: of equal ones the first stays as it was written. */
export function withTags(tags: readonly string[], added: readonly string[]): string[] {
  const byKey = new Map<string, string>();
  for (const tag of [...tags, ...added].map(cleanLine)) {
    if (tag !== "" && !byKey.has(tagKeyOf(tag))) byKey.set(tagKeyOf(tag), tag);
  }
  return [...byKey.values()];
}

/** Tags without those that equal one of `removed`. */
export function withoutTags(tags: readonly string[], removed: readonly string[]): string[] {
  const keys = new Set(removed.map((tag) => tagKeyOf(cleanLine(tag))));
  return tags.filter((tag) => !keys.has(tagKeyOf(tag)));
}
