/**
 * How text is compared: without case, accents, width and invisible characters. It is done here and not in the
 * database, so that every database finds the same titles.
 */

/** Letters that Unicode does not decompose but people type without. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  đ: "d",
  ð: "d",
  þ: "th",
  ł: "l",
  ħ: "h",
  ŧ: "t",
  ı: "i",
  ς: "σ",
};
const LETTER_PATTERN = new RegExp(`[${Object.keys(LETTERS).join("")}]`, "gu");

/**
 * Marks that change no word (accents, vowel points, variation selectors) and format characters. The kana voicing
 * marks stay, as do the vowel signs of Indic scripts: without them the word is another one.
 */
const STRIPPED = /(?![\u3099\u309A])[\p{Script=Inherited}\p{Cf}\u0591-\u05BD\u05BF\u05C1\u05C2\u05C4\u05C5\u05C7]/gu;

/** Folds text for comparison. Folding what is folded changes nothing. */
export function fold(text: string): string {
  return text
    .toWellFormed()
    .normalize("NFKD")
    .toLowerCase()
    .replace(STRIPPED, "")
    .replace(LETTER_PATTERN, (letter) => LETTERS[letter] ?? letter)
    .normalize("NFC")
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim();
}

/** Scripts written without spaces, where a word may begin at any character: each is a token of its own. */
const UNSPACED =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}";
const TOKEN = new RegExp(`[${UNSPACED}]|(?:(?![${UNSPACED}])[\\p{L}\\p{N}\\p{M}])+|\\p{S}`, "gu");

/** The tokens of folded text: words, single characters of scripts without spaces, single symbols and emoji. */
export function tokensOf(folded: string): string[] {
  return folded.match(TOKEN) ?? [];
}

/** The different punctuation characters of folded text. */
export function marksOf(folded: string): string[] {
  return [...new Set(folded.match(/\p{P}/gu) ?? [])];
}

/** The different runs of `length` characters in folded text. */
export function gramsOf(folded: string, length: number): string[] {
  const characters = [...folded];
  const grams = new Set<string>();
  for (let start = 0; start + length <= characters.length; start++) {
    grams.add(characters.slice(start, start + length).join(""));
  }
  return [...grams];
}
