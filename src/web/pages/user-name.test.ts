import { expect, test } from "bun:test";
import { adviseName } from "./user-name.ts";

test.each([
  ["", null],
  ["maria", null],
  ["maria.silva_2-x", null],
  ["Maria Silva", { text: "A name has no spaces. Try “maria.silva”.", refused: true }],
  ["Maria", { text: "Capital letters become small: “maria”.", refused: false }],
  ["x", { text: "A name has 2 characters or more.", refused: true }],
  ["josé", { text: "“é” cannot be in a name: only letters a to z, digits, dot, dash and underscore.", refused: true }],
  [
    "🦊fox",
    { text: "“🦊” cannot be in a name: only letters a to z, digits, dot, dash and underscore.", refused: true },
  ],
] as const)("of the name %p it says %p", (name, expected) => {
  expect(adviseName(name)).toEqual(expected);
});
