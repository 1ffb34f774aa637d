/** Options of the client that take a value; `--server=URL` is one word. */
const WITH_VALUE = new Set(["--server"]);
const ALONE = new Set(["--json"]);

/**
 * The words of a command line with options of the client that stand before the command put behind it: each command has
 * them itself, and `kinora --server URL search` means what it says. Words that begin otherwise stay as they are.
 */
export function behindCommand(words: readonly string[]): string[] {
  const isOption = (word: string) => WITH_VALUE.has(word) || ALONE.has(word) || word.startsWith("--server=");
  let at = 0;
  while (at < words.length && isOption(words[at] ?? "")) at += WITH_VALUE.has(words[at] ?? "") ? 2 : 1;
  const rest = words.slice(at);
  // Nothing follows, or something else than a command: no reason to move anything.
  if (at === 0 || rest[0] === undefined || rest[0].startsWith("-")) return [...words];
  const end = rest.indexOf("--");
  const [command, operands] = end < 0 ? [rest, []] : [rest.slice(0, end), rest.slice(end)];
  return [...command, ...words.slice(0, at), ...operands];
}
