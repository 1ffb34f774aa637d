import { statSync } from "node:fs";
import type { Command } from "commander";
import { nearest } from "../config/nearest.ts";
import { usageError } from "./errors.ts";

/** What to say to words that are no command: perhaps another was meant, or `serve`, which once could be left out. */
export function refuseWords(program: Command, words: readonly string[]): never {
  const [first = ""] = words;
  const isServe = first.startsWith("-") || statSync(first, { throwIfNoEntry: false })?.isDirectory();
  if (isServe) throw usageError(`${first} is no command.`, `To start the server: kinora serve ${words.join(" ")}`);
  const meant = nearest(
    first,
    program.commands.map((command) => command.name()),
  );
  throw usageError(
    `There is no command ${first}.`,
    meant ? `Did you mean kinora ${meant}?` : "kinora --help shows what there is.",
  );
}
