import { expect, test } from "bun:test";
import { join } from "node:path";
import { Command } from "commander";
import { addClientCommands } from "./commands.ts";

const page = await Bun.file(join(import.meta.dir, "../../docs/client.md")).text();
const program = new Command("kinora");
addClientCommands(program);

const leaves = (command: Command, words: readonly string[]): [string, Command][] =>
  command.commands.length === 0
    ? [[words.join(" "), command]]
    : command.commands.flatMap((child) => leaves(child, [...words, child.name()]));

test("docs/client.md names every command with all its arguments' places and options", () => {
  const missing: string[] = [];
  for (const [name, command] of leaves(program, ["kinora"])) {
    const line = page
      .split("\n")
      .filter((text) => text.startsWith("|") && text.includes(`\`${name}`))
      .join("\n");
    if (line === "") missing.push(name);
    for (const { long } of command.options)
      if (!`${line} --server --json`.includes(long ?? "")) missing.push(`${name} ${long}`);
  }
  expect(missing).toEqual([]);
});

test("every code of a problem is in docs/client.md, or in docs/errors.md as the server's", async () => {
  const errors = await Bun.file(join(import.meta.dir, "../../docs/errors.md")).text();
  const missing = new Set<string>();
  for await (const file of new Bun.Glob("**/*.ts").scan(import.meta.dir)) {
    if (file.endsWith(".test.ts")) continue;
    const text = await Bun.file(join(import.meta.dir, file)).text();
    for (const [, code = ""] of text.matchAll(/new ClientError\(\s*"([a-z-]+)"/g))
      if (!`${page}${errors}`.includes(`\`${code}\``)) missing.add(code);
  }
  expect([...missing]).toEqual([]);
});
