/** Longest tag in characters, and most tags of one video: what the server takes (`TAG_MAX`, `TAGS_MAX`). */
export const LONGEST = 64;
export const MOST = 100;
/** Characters of a tag by which one knows which it is. */
const SHOWN = 20;

/** Tags typed into one field: separated by commas, each once. */
export function parseTags(text: string): string[] {
  return [
    ...new Set(
      text
        .split(",")
        .map((tag) => tag.trim())
        .filter(Boolean),
    ),
  ];
}

/** The key of what is wrong with the tags typed into one field and the figures it names; null when nothing is. */
export function tagsProblem(text: string) {
  const typed = parseTags(text);
  const long = typed.find((tag) => tag.length > LONGEST);
  if (long !== undefined) {
    const values = { most: LONGEST, tag: long.slice(0, SHOWN).toWellFormed(), count: long.length };
    return { key: "tags.too-long", values } as const;
  }
  return typed.length > MOST ? ({ key: "tags.too-many", values: { most: MOST, count: typed.length } } as const) : null;
}
