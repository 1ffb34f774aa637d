import { expect, test } from "bun:test";
import { undoing } from "./undoing.ts";

const before = [
  { id: "a", tags: ["sea"], visibility: "private" },
  { id: "b", tags: [], visibility: "members" },
  { id: "c", tags: ["Sea", "family"], visibility: "private" },
  { id: "d", tags: ["music"], visibility: "private" },
] as const;
const titles = before.map((title) => ({ ...title, tags: [...title.tags] }));

test("tags that were added go from those that had them not, and only from what was changed", () => {
  expect(undoing(["a", "b", "c"], { addTags: ["sea"] }, titles)).toEqual([
    { ids: ["b"], changes: { removeTags: ["sea"] } },
  ]);
  expect(undoing(["a"], { addTags: ["SÉA"] }, titles)).toEqual([]);
});

test("tags that were taken away come back to those that had them, alike ones together", () => {
  expect(undoing(["a", "b", "c", "d"], { removeTags: ["sea", "family"] }, titles)).toEqual([
    { ids: ["a"], changes: { addTags: ["sea"] } },
    { ids: ["c"], changes: { addTags: ["Sea", "family"] } },
  ]);
});

test("each gets back who might see it", () => {
  expect(undoing(["a", "b", "c"], { visibility: "public" }, titles)).toEqual([
    { ids: ["a", "c"], changes: { visibility: "private" } },
    { ids: ["b"], changes: { visibility: "members" } },
  ]);
  expect(undoing(["a"], { visibility: "private" }, titles)).toEqual([]);
});
