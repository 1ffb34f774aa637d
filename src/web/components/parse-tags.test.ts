import { expect, test } from "bun:test";
import { TAG_MAX, TAGS_MAX, tags } from "../../catalog/contract.ts";
import { LONGEST, MOST, parseTags, tagsProblem } from "./parse-tags.ts";

test("what the field of tags takes is what the server takes", () => {
  expect([LONGEST, MOST]).toEqual([TAG_MAX, TAGS_MAX]);
  const fits = ["x".repeat(TAG_MAX), ...Array.from({ length: TAGS_MAX - 1 }, (_, index) => `tag ${index}`)].join(", ");
  expect(tagsProblem(fits)).toBeNull();
  expect(tags.safeParse(parseTags(fits)).success).toBe(true);
  expect(tagsProblem("")).toBeNull();
});

test("of tags that are too long or too many it is said which, and by how much", () => {
  expect(tagsProblem(`sea, ${"x".repeat(80)}`)).toEqual({
    key: "tags.too-long",
    values: { most: 64, tag: "x".repeat(20), count: 80 },
  });
  const many = Array.from({ length: 101 }, (_, index) => `tag ${index}`).join();
  expect(tagsProblem(many)).toEqual({ key: "tags.too-many", values: { most: 100, count: 101 } });
});
