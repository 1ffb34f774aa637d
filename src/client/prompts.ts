import { usageError } from "./errors.ts";
import { printable } from "./terminal/printable.ts";

export interface Choice<Value> {
  readonly name: string;
  readonly value: Value;
  readonly description?: string;
}

// To stderr: stdout is for the result alone.
const context = { output: process.stderr };

/** Questions to the person at the terminal. Ctrl-C is thrown as `ExitPromptError`. */
export const prompts = {
  async text(message: string, options: { default?: string; required?: boolean } = {}): Promise<string> {
    const { default: input } = await import("@inquirer/input");
    const { required = false, ...rest } = options;
    return (await input({ message, required, ...rest }, context)).trim();
  },
  /** Hidden: nothing of it is shown, not even its length. */
  async password(message: string): Promise<string> {
    const { default: password } = await import("@inquirer/password");
    return password({ message, mask: false, validate: (value) => value !== "" || "Type the password." }, context);
  },
  async confirm(message: string, standard = false): Promise<boolean> {
    const { default: confirm } = await import("@inquirer/confirm");
    return confirm({ message: printable(message), default: standard }, context);
  },
  async choose<Value>(message: string, choices: readonly Choice<Value>[]): Promise<Value> {
    const { default: select } = await import("@inquirer/select");
    const shown = choices.map(({ name, value, description }) => ({
      name: printable(name),
      value,
      ...(description === undefined ? {} : { description: printable(description) }),
    }));
    return select({ message: printable(message), choices: shown, pageSize: 12, loop: false }, context);
  },
};

/** A new password, typed twice. */
export async function newPassword(message: string): Promise<string> {
  for (;;) {
    const first = await prompts.password(message);
    if (first === (await prompts.password("The same again"))) return first;
    process.stderr.write("These were not the same.\n");
  }
}

/** The first lines of standard input, without their ends: passwords of scripts. */
export async function linesOfInput(count: number): Promise<string[]> {
  const lines = (await Bun.stdin.text()).split("\n").map((line) => line.replace(/\r$/, ""));
  const wanted = lines.slice(0, count);
  if (wanted.length < count || wanted.some((line) => line === ""))
    throw usageError(count === 1 ? "Standard input has no password." : `Standard input must have ${count} lines.`);
  return wanted;
}
