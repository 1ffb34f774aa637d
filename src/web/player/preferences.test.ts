import { expect, test } from "bun:test";
import { preferencesOf } from "./preferences.ts";

test("what was kept counts as far as it is one of the choices", () => {
  const usual = preferencesOf(null);
  expect(usual).toEqual({
    captionSize: "normal",
    captionColour: "white",
    captionBackground: "shade",
    playsNext: true,
    characterKeys: true,
  });
  expect(preferencesOf('{"captionSize":"huge","captionColour":"plaid","playsNext":false}')).toEqual({
    ...usual,
    captionSize: "huge",
    playsNext: false,
  });
  for (const broken of ["{", "null", "[]", '"text"', "7"]) expect(preferencesOf(broken)).toEqual(usual);
});
