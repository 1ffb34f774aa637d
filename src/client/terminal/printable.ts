/**
 * What must never reach a terminal as it is: C0 and C1 controls (escape sequences begin with them), line separators, and the
 * signs that turn the direction of text (they make a name look like another).
 */
const UNSAFE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

const escaped = (character: string) => {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
};

/** Text of others for a terminal: on one line, with nothing in it that a terminal obeys. */
export const printable = (text: string): string => text.replace(UNSAFE, escaped);

/** The same for text of several lines. */
export const printableLines = (text: string): string => text.split(/\r?\n/).map(printable).join("\n");

/** JSON that a terminal can be shown: `JSON.stringify` leaves C1 controls and DEL as they are. */
export function printableJson(value: unknown): string {
  // The line ends are its own: those in strings are escaped already.
  return JSON.stringify(value, null, 2).replace(UNSAFE, (character) =>
    character === "\n" ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** How many columns a terminal gives the text. */
export const widthOf = (text: string): number => Bun.stringWidth(text);

/** Cuts printable text to at most so many columns; an ellipsis says that something is missing. */
export function fitted(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let result = "";
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    const width = widthOf(segment);
    if (used + width > columns - 1) break;
    result += segment;
    used += width;
  }
  return columns > 0 ? `${result}…` : "";
}

/** Fills up with blanks to so many columns. */
export function padded(text: string, columns: number, align: "left" | "right" = "left"): string {
  const blanks = " ".repeat(Math.max(0, columns - widthOf(text)));
  return align === "left" ? text + blanks : blanks + text;
}
