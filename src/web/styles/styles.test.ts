import { expect, test } from "bun:test";
import { join } from "node:path";

const files = [...new Bun.Glob("*.css").scanSync({ cwd: import.meta.dir })].sort();

/** The declarations of a stylesheet, each with its line, without comments. */
async function declarationsOf(name: string): Promise<{ at: string; property: string; value: string }[]> {
  const text = await Bun.file(join(import.meta.dir, name)).text();
  const bare = text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " "));
  return [...bare.matchAll(/(?<=[{;]\s*)(--[\w-]+|[a-z-]+)\s*:\s*([^;{}]+);/g)].map((found) => ({
    at: `${name}:${bare.slice(0, found.index).split("\n").length}`,
    property: found[1] ?? "",
    value: (found[2] ?? "")
      .replace(/url\("[^"]*"\)/g, "")
      .replace(/\s+/g, " ")
      .trim(),
  }));
}

const all = (await Promise.all(files.map(declarationsOf))).flat();
const isToken = ({ property }: { property: string }) => property.startsWith("--");
const shown = (found: typeof all) => found.map(({ at, property, value }) => `${at} ${property}: ${value}`);

test("stylesheets are read", () => {
  expect(all.length).toBeGreaterThan(900);
});

test("colours are tokens: they have a name wherever they are used", () => {
  const colour = /#[\da-f]{3,8}\b|\b(rgba?|hsla?|hwb|lab|lch|oklab|oklch)\(|\b(white|black|red|gr[ae]y)\b/i;
  expect(shown(all.filter((one) => !isToken(one) && colour.test(one.value)))).toEqual([]);
});

test("lengths follow the size of type: only lines and what is drawn from lines have pixels", () => {
  const lines =
    /^(border|outline|box-shadow|text-shadow|text-decoration|stroke|height|backdrop-filter|padding|margin|inset)/;
  const pixels = (one: (typeof all)[number]) =>
    [...one.value.matchAll(/(\d*\.?\d+)px/g)].some(([, size]) => Number(size) > (lines.test(one.property) ? 4 : 1));
  expect(shown(all.filter((one) => !isToken(one) && pixels(one)))).toEqual([]);
});

test("what moves takes the time that was chosen for all", () => {
  const timed = all.filter(({ property }) => /^(transition|animation)/.test(property));
  expect(shown(timed.filter(({ value }) => /\d(ms|s)\b/.test(value)))).toEqual([]);
});

test("every class is one that the app gives to something", async () => {
  const app = join(import.meta.dir, "..");
  const code = [...new Bun.Glob("**/*.{ts,tsx,html}").scanSync({ cwd: app })].filter((name) => !/\.test\./.test(name));
  const texts = await Promise.all(code.map((name) => Bun.file(join(app, name)).text()));
  const quoted = texts.flatMap((text) => text.match(/"[^"\n]*"|`[^`]*`/g) ?? []).join(" ");
  const words = new Set(quoted.match(/[\w-]+/g));
  const unused: string[] = [];
  for (const file of files) {
    const text = (await Bun.file(join(import.meta.dir, file)).text()).replace(/\/\*[\s\S]*?\*\//g, "");
    for (const [, selector = ""] of text.matchAll(/([^{};]+)\{/g))
      for (const [, name = ""] of selector.matchAll(/\.(-?[a-z][\w-]*)/gi))
        if (!words.has(name)) unused.push(`${file} .${name}`);
  }
  expect(unused).toEqual([]);
});
