import { NAME_MAX } from "../catalog/contract.ts";

const UNTITLED = "Untitled";

/** Control and format characters that would hide or reorder text, among them line ends and bidi overrides. */
const INVISIBLE = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;
/** An extension: up to ten letters and digits after the last point. */
const EXTENSION = /(?<=.)\.[a-z0-9]{1,10}$/i;

/** Text as one line without invisible characters, white space at the ends or lone surrogates. */
export function cleanText(text: string): string {
  return text.toWellFormed().normalize("NFC").replace(INVISIBLE, " ").replace(/ +/g, " ").trim();
}

/** What a title is called at first: the name given, else the file's without folders and extension, else "Untitled". */
export function initialName(name: string | null, fileName: string | null): string {
  const given = cleanText(name ?? "");
  return given ? shorten(given) : (fileStem(fileName) ?? UNTITLED);
}

/** A file's name without folders and extension; null when nothing is left of it. */
export function fileStem(fileName: string | null): string | null {
  const base = (fileName ?? "").split(/[/\\]/).at(-1) ?? "";
  return shorten(cleanText(cleanText(base).replace(EXTENSION, ""))) || null;
}

/** At most `NAME_MAX` UTF-16 units, not cutting a character in two. */
function shorten(text: string): string {
  return text.length <= NAME_MAX
    ? text
    : text
        .slice(0, NAME_MAX)
        .toWellFormed()
        .replace(/\ufffd$/, "")
        .trim();
}
