import { expect, test } from "bun:test";
import { join } from "node:path";

const root = join(import.meta.dir, "..");

test("every error code is described in docs/errors.md", async () => {
  const documented = await Bun.file(join(root, "docs", "errors.md")).text();
  const missing = new Set<string>();
  for await (const file of new Bun.Glob("**/*.ts").scan(join(root, "src"))) {
    if (file.endsWith(".test.ts")) continue;
    const text = await Bun.file(join(root, "src", file)).text();
    if (!/extends \w+Error\b|new ProblemError\(/.test(text)) continue;
    for (const [, code = ""] of text.matchAll(/(?:super|new ProblemError)\(\s*"([a-z][a-z-]*)",/g))
      if (!documented.includes(`\`${code}\``)) missing.add(`${code} (${file})`);
  }
  expect([...missing]).toEqual([]);
});
