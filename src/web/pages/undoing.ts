import type { Title } from "../../catalog/contract.ts";
import type { Changes } from "./change-many.ts";

/** What is known of a title from before it was changed. */
export type TitleBefore = Pick<Title, "id" | "tags" | "visibility">;

interface Step {
  readonly ids: readonly string[];
  readonly changes: Changes;
}

/**
 * What takes back `changes` to the titles `ids`: titles that were alike before are one step, those that it did not
 * change are in none.
 */
export function undoing(ids: readonly string[], changes: Changes, before: readonly TitleBefore[]): Step[] {
  const changed = new Set(ids);
  const steps = new Map<string, { ids: string[]; changes: Changes }>();
  for (const title of before) {
    if (!changed.has(title.id)) continue;
    const back = undoingOne(title, changes);
    const key = JSON.stringify(back);
    if (key === "{}") continue;
    const step = steps.get(key) ?? { ids: [], changes: back };
    step.ids.push(title.id);
    steps.set(key, step);
  }
  return [...steps.values()];
}

/** As the server compares tags: without accents and capitals. */
const collator = new Intl.Collator("en", { usage: "search", sensitivity: "base" });
const isSame = (one: string) => (other: string) => collator.compare(one, other) === 0;

function undoingOne({ tags, visibility }: TitleBefore, changes: Changes): Changes {
  const addTags = tags.filter((tag) => changes.removeTags?.some(isSame(tag)));
  const removeTags = (changes.addTags ?? []).filter((tag) => !tags.some(isSame(tag)));
  return {
    ...(addTags.length > 0 ? { addTags } : {}),
    ...(removeTags.length > 0 ? { removeTags } : {}),
    ...(changes.visibility && changes.visibility !== visibility ? { visibility } : {}),
  };
}
