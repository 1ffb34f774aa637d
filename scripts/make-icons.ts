/** Makes the PNG icons of the installed app in `src/web/icons/` from `src/web/icon.svg`, with Chromium. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const folder = join(import.meta.dir, "..", "src", "web");
const svg = await Bun.file(join(folder, "icon.svg")).text();
// Cut to any shape by the system: the sign stays in the middle, the colour goes to the edges.
const maskable = svg
  .replace('<rect width="32" height="32" rx="8"', '<rect x="-8" y="-8" width="48" height="48"')
  .replace('viewBox="0 0 32 32"', 'viewBox="-6 -6 44 44"');

const browser = await chromium.launch({ executablePath: Bun.which("chromium") ?? "chromium", args: ["--no-sandbox"] });
const page = await browser.newPage();
mkdirSync(join(folder, "icons"), { recursive: true });
for (const [name, size, image] of [
  ["icon-192", 192, svg],
  ["icon-512", 512, svg],
  ["icon-maskable", 512, maskable],
] as const) {
  await page.setViewportSize({ width: size, height: size });
  await page.setContent(`<style>body{margin:0}svg{display:block;width:100vw;height:100vh}</style>${image}`);
  await page.screenshot({ path: join(folder, "icons", `${name}.png`), omitBackground: true });
}
await browser.close();
