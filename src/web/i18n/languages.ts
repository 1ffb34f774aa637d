import type { MessageTable } from "./define.ts";

export type Language = "en" | "es";

interface Entry {
  readonly code: Language;
  /** In its own language. */
  readonly name: string;
  /** Brings the texts; English is part of the pages. */
  readonly load?: () => Promise<MessageTable>;
}

/** The languages there are. Another one: a folder in `messages/` like `es`, and a line here. */
export const languages: readonly Entry[] = [
  { code: "en", name: "English" },
  { code: "es", name: "Español", load: async () => (await import("../messages/es/index.ts")).es },
];

/** The first of the reader's languages that there is; else English. */
export function languageOf(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const found = languages.find(({ code }) => code === tag.toLowerCase().split("-")[0]);
    if (found) return found.code;
  }
  return "en";
}

/** The reader's own variant of a language, as `en-GB`, for dates and numbers. */
export function localeOf(code: Language, wanted: readonly string[]): string {
  return wanted.find((tag) => tag.toLowerCase().split("-")[0] === code) ?? code;
}
