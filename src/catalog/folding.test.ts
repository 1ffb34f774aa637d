import { expect, test } from "bun:test";
import { fold, gramsOf, marksOf, tokensOf } from "./folding.ts";

test("folding what is folded changes nothing, whatever the character", () => {
  const wrong: string[] = [];
  for (let code = 0; code < 0x30000; code++) {
    const folded = fold(`a${String.fromCodePoint(code)}b`);
    if (fold(folded) !== folded) wrong.push(code.toString(16));
  }
  expect(wrong).toEqual([]);
});

test("text that reads the same folds to the same", () => {
  const same: string[][] = [
    ["Amélie", "AME\u0301LIE", "amelie"],
    ["Straße", "STRASSE", "straẞe"],
    ["ﬁn", "FIN"],
    ["Ærøskøbing", "aeroskobing"],
    ["ΣΊΣΥΦΟΣ", "σίσυφος", "σισυφοσ"],
    ["İstanbul", "ISTANBUL", "ıstanbul"],
    ["ガラス", "ｶﾞﾗｽ", "カ\u3099ラス"],
    ["서울", "서울".normalize("NFD")],
    ["❤️ you", "❤ you"],
    ["co\u00ADope\u200Bration", "cooperation"],
    ["  a \t\n b\u3000c ", "a b c"],
  ];
  for (const texts of same) expect(new Set(texts.map(fold)).size).toBe(1);
  expect(fold("ガラス")).not.toBe(fold("カラス"));
  expect(fold("की")).not.toBe(fold("कु"));
});

test("words, single characters of scripts without spaces, and symbols are tokens; punctuation is none", () => {
  expect(tokensOf("spider-man 2: 東京 c++ 🎬")).toEqual(["spider", "man", "2", "東", "京", "c", "+", "+", "🎬"]);
  expect(tokensOf("%_'\"")).toEqual([]);
  expect(marksOf("100% 'a' 50%")).toEqual(["%", "'"]);
});

test("runs of characters never cut one in half", () => {
  expect(gramsOf("🎬ab🎬a", 2)).toEqual(["🎬a", "ab", "b🎬"]);
  expect(gramsOf("a", 2)).toEqual([]);
});
