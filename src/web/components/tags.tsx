import { t } from "../i18n/i18n.ts";

interface TagsProps {
  readonly tags: readonly string[];
  /** Whether Tab stops at each. */
  readonly isStop?: boolean;
  onChoose(tag: string): void;
}

/** A title's tags; each shows what else has it. */
export function Tags({ tags, isStop = true, onChoose }: TagsProps) {
  if (tags.length === 0) return null;
  return (
    <ul class="tags" aria-label={t("title.tags")}>
      {tags.map((tag) => (
        <li key={tag}>
          <button
            type="button"
            class="tag"
            tabIndex={isStop ? 0 : -1}
            onClick={() => onChoose(tag)}
            title={t("title.show-tagged", { tag })}
          >
            {tag}
          </button>
        </li>
      ))}
    </ul>
  );
}
