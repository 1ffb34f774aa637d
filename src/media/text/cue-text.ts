/** Standard tags and time stamps of WebVTT cue text, its character references, and what must be escaped elsewhere. */
const webVttTokens =
  /(<\/?(?:c|i|b|u|ruby|rt|v|lang)(?:\.[^\s.<>&]+)*)([ \t][^<>]*)?>|<(?:\d{2,4}:)?\d{2}:\d{2}\.\d{3}>|&(?:amp|lt|gt|lrm|rlm|nbsp|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});|[<>&]/g;
/** Tags that mean something with words after their name: who speaks, which language. */
const annotated = /^<(?:v|lang)(?:\.|$)/;
/** Tags as SubRip files have them, and the overrides that some carry over from SubStation Alpha. */
const subRipTokens = /<(\/?)(b|i|u|font)(?=[\s>/])[^<>]*>|\{\\[^{}]*\}|[<>&]/gi;
/** Characters of a cue that are kept. */
export const longestText = 16_384;

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** Text as cue text: what looks like markup is shown, not obeyed. */
export function escapeCueText(text: string): string {
  return text.replaceAll(/[&<>]/g, (character) => escapes[character] ?? character);
}

/** Cue text from a WebVTT file as it may be sent on: the standard tags stay, all other markup is shown as text. */
export function safeCueText(text: string): string {
  const safe = shortened(text).replaceAll(webVttTokens, (token, tag?: string, annotation = "") => {
    if (tag === undefined) return escapes[token] ?? token;
    const inside = annotated.test(tag) ? tag + annotation : tag;
    // What ends in "--" would make an arrow of the tag's end, which starts another cue.
    return `${inside.replace(/[-\s\p{Cc}]+$/u, "")}>`;
  });
  return tidyLines(safe);
}

/** Cue text from the text of a SubRip cue: bold, italic and underlined stay, colours and positions go. */
export function subRipCueText(text: string): string {
  const escaped = shortened(text).replaceAll(subRipTokens, (token, slash?: string, name?: string) => {
    if (name === undefined) return escapes[token] ?? "";
    return name.toLowerCase() === "font" ? "" : `<${slash ?? ""}${name.toLowerCase()}>`;
  });
  return tidyLines(escaped);
}

const shortened = (text: string) => text.slice(0, longestText);

/** Lines without control characters and without empty ones, which would end a cue. */
export function tidyLines(text: string): string {
  return (
    text
      .split(/\r\n|[\r\n\u0085\u2028\u2029]/)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must go
      .map((line) => line.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "").trim())
      .filter((line) => line !== "")
      .join("\n")
  );
}
