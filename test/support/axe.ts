import { join } from "node:path";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";

const AXE = join(import.meta.dir, "..", "..", "node_modules", "axe-core", "axe.min.js");

/** What axe says against the page, in one line each: WCAG 2.2 A and AA, and its good practices. */
export async function faultsOf(page: Page): Promise<string[]> {
  // By the debugger's own way, which the policy of the page does not hinder.
  await page.evaluate(await Bun.file(AXE).text());
  const { violations } = await page.evaluate<Pick<AxeResults, "violations">>("axe.run()");
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
}
