import { join } from "node:path";
import type { AxeResults, RunOptions } from "axe-core";
import type { Page } from "playwright-core";

const AXE = Bun.file(join(import.meta.dir, "..", "..", "node_modules", "axe-core", "axe.min.js"));
/** Without a word on what is as it should be: that would take most of the time. */
const options: RunOptions = { resultTypes: ["violations"] };

/** What axe says against the page, in one line each: WCAG 2.2 A and AA, and its good practices, and how bad it is. */
export async function faultsOf(page: Page): Promise<string[]> {
  // By the debugger's own way, which the policy of the page does not hinder.
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(await AXE.text());
  const violations = await page.evaluate<AxeResults["violations"]>(
    `axe.run(${JSON.stringify(options)}).then(({ violations }) => violations)`,
  );
  return violations.map(
    ({ impact, id, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`,
  );
}
