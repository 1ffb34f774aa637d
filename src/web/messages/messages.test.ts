import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Message } from "../i18n/define.ts";

/** The areas of a language's folder, by file name. */
async function areasOf(language: string): Promise<Map<string, Record<string, Message>>> {
  const folder = join(import.meta.dir, language);
  const areas = new Map<string, Record<string, Message>>();
  for (const file of readdirSync(folder).filter((name) => name !== "index.ts")) {
    const exported: Record<string, Record<string, Message>> = await import(join(folder, file));
    areas.set(file, Object.assign({}, ...Object.values(exported)));
  }
  return areas;
}

/** Placeholders and marks, each once. */
function partsOf(message: Message): string[] {
  const texts = typeof message === "string" ? [message] : Object.values(message);
  return [...new Set(texts.flatMap((text) => text.match(/\{\w+\}|<\/?\w+>/g) ?? []))].sort();
}

const english = await areasOf("en");

describe.each(
  readdirSync(import.meta.dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "en")
    .map(({ name }) => name),
)("the texts in %s", (language) => {
  test("are those there are in English, with the same placeholders and marks", async () => {
    const translated = await areasOf(language);
    expect([...translated.keys()].sort()).toEqual([...english.keys()].sort());
    for (const [file, area] of english) {
      const other = translated.get(file) ?? {};
      expect(Object.keys(other).sort()).toEqual(Object.keys(area).sort());
      for (const [key, message] of Object.entries(area))
        expect([key, partsOf(other[key] ?? "")]).toEqual([key, partsOf(message)]);
    }
  });

  test("have all plural forms that the language has, where English has forms", async () => {
    const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions();
    for (const area of (await areasOf(language)).values())
      for (const [key, message] of Object.entries(area))
        if (typeof message === "object" && "many" in message)
          expect([key, Object.keys(message).sort()]).toEqual([key, [...pluralCategories].sort()]);
  });

  test("are part of the file that is loaded", async () => {
    const index: Record<string, Record<string, Message>> = await import(join(import.meta.dir, language, "index.ts"));
    const all = Object.assign({}, ...Object.values(index));
    for (const area of english.values()) expect(all).toContainKeys(Object.keys(area));
  });
});

test("no key stands in two areas", () => {
  const keys = [...english.values()].flatMap((area) => Object.keys(area));
  expect(new Set(keys).size).toBe(keys.length);
});

test("every text is shown by some part of the app: by its key, or by what its key begins with", async () => {
  const app = join(import.meta.dir, "..");
  const files = [...new Bun.Glob("**/*.{ts,tsx}").scanSync({ cwd: app })].filter(
    (name) => !name.startsWith("messages") && !name.includes(".test."),
  );
  const code = (await Promise.all(files.map((name) => Bun.file(join(app, name)).text()))).join("\n");
  const isShown = (key: string) =>
    code.includes(`"${key}"`) ||
    [...key.matchAll(/[.-]/g)].some(({ index }) => code.includes(`\`${key.slice(0, index + 1)}\${`));
  const keys = [...english.values()].flatMap((area) => Object.keys(area));
  expect(keys.filter((key) => !isShown(key))).toEqual([]);
});
