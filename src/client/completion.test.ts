import { beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandLine } from "../../test/support/client.ts";

const scripts: Record<string, string> = {};
beforeAll(async () => {
  using somebody = new CommandLine();
  for (const shell of ["bash", "zsh", "fish"]) scripts[shell] = (await somebody.run(["completion", shell])).stdout;
});

/** What bash offers for the last word of a line. */
async function offered(...words: string[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "kinora-completion-"));
  const script = join(folder, "script");
  writeFileSync(
    script,
    `${scripts.bash}\nCOMP_WORDS=(kinora "$@"); COMP_CWORD=$#; _kinora 2>/dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`,
  );
  const child = Bun.spawn(["bash", "--norc", script, ...words], { stdout: "pipe" });
  const text = await new Response(child.stdout).text();
  rmSync(folder, { recursive: true });
  return text.split("\n").filter((line) => line !== "");
}

test("bash completes commands, nested ones, options and their values", async () => {
  expect(await offered("se")).toEqual(["serve", "search", "services"]);
  expect(await offered("users", "")).toContain("reset-password");
  expect(await offered("users", "role", "ada", "")).toEqual(["admin", "editor", "viewer"]);
  expect(await offered("play", "--pro")).toEqual(["--protocol"]);
  expect(await offered("play", "--protocol", "")).toEqual(["hls", "rtsp", "rtp"]);
  expect(await offered("search", "--tag", "x", "--so")).toEqual(["--sort"]);
  expect(await offered("help", "up")).toEqual(["upload"]);
  expect(await offered("upload", "--visibility", "p")).toEqual(["private", "public"]);
});

test.each(["bash", "zsh", "fish"])(
  "the script for %s is in its shell's language and has every command",
  async (shell) => {
    const script = scripts[shell] ?? "";
    for (const command of ["search", "users", "completion", "interactive"])
      expect([command, script.includes(command)]).toEqual([command, command !== "interactive"]);
    if (Bun.which(shell) === null) return;
    const child = Bun.spawn([shell, "-n"], { stdin: new TextEncoder().encode(script), stderr: "pipe" });
    expect(await new Response(child.stderr).text()).toBe("");
    expect(await child.exited).toBe(0);
  },
);
