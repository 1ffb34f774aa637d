import { t } from "../i18n/i18n.ts";
/** A title's tags; each shows what else has it. */
export function Tags({ tags, onChoose }: { tags: readonly string[]; onChoose(tag: string): void }) {
  if (tags.length === 0) return null;
  return (
    <ul class="tags" aria-label={t("title.tags")}>
      {tags.map((tag) => (
        <li key={tag}>
          <button type="button" class="tag" onClick={() => onChoose(tag)} title={t("title.show-tagged", { tag })}>
            {tag}
          </button>
        </li>
      ))}
    </ul>
  );
}

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
