/**
 * Runs everything a change must pass: what the tests need is installed, then `check`, then every test.
 * Ends with one line `N passed, N failed`. Arguments that are no options choose test files. `--long` runs the long
 * suites whole, `--keep-timings` writes what each file took to `test/timings.json`, which says in which order they run.
 *
 * In a whole run a few files that fail are run once more, alone: players and browsers in real time share the machine
 * with everything else. What fails again has failed; what passes then is named in the last lines as unsteady, to be
 * mended, and is not hidden.
 */
import { existsSync } from "node:fs";
import { debianPackages, ensureDebianPackages } from "./support/debian.ts";
import { findMysql, MYSQL_COMMAND, MYSQL_PACKAGE } from "./support/mysql-root.ts";
import { readTestReport, type TestReport } from "./support/test-report.ts";

/** More failing files than this are no accident. */
const MOST_UNSTEADY_FILES = 3;

const args = Bun.argv.slice(2);
const long = args.includes("--long");
const keepsTimings = args.includes("--keep-timings");
const timings = new URL("timings.json", import.meta.url).pathname;
const chosen = args.filter((arg) => !arg.startsWith("--"));
const isWhole = chosen.length === 0;
const startedAt = performance.now();

async function run(command: string[], env: Record<string, string> = {}): Promise<number> {
  const child = Bun.spawn(command, { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...env } });
  return child.exited;
}

/** Runs test files, all when none is named. */
async function runTests(options: string[], files: readonly string[]): Promise<TestReport & { readonly code: number }> {
  const junit = `${process.env.TMPDIR ?? "/tmp"}/kinora-tests-${process.pid}-${files.length}.xml`;
  const code = await run(
    [
      process.execPath,
      "test",
      ...options,
      "--timeout",
      "60000",
      "--reporter=junit",
      `--reporter-outfile=${junit}`,
      ...files,
    ],
    { KINORA_TEST_LONG: long ? "1" : "", KINORA_TEST_MISSING: missing.join(" ") },
  );
  return { ...readTestReport(existsSync(junit) ? await Bun.file(junit).text() : ""), code };
}

/** The files that failed or could not be loaded. */
function filesOf(report: TestReport): string[] {
  const all = [...new Bun.Glob("{src,test,scripts,bench}/**/*.test.{ts,tsx}").scanSync(".")];
  return all.filter((file) => report.failedFiles.has(file) || !report.files.has(file));
}

/** The long run's figures, dated: `bench/results/tests-{date}.md`. */
async function keepResult(): Promise<void> {
  const date = new Date().toISOString().slice(0, 10);
  const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
  const slowest = report.times.slice(0, 20).map(({ name, seconds }) => `| ${name} | ${seconds.toFixed(1)} |`);
  const text = `# Long tests${isWhole ? "" : ` of ${chosen.join(", ")}`}, ${date}

${passed} passed, ${failed} failed, ${report.skipped} skipped in ${minutes} minutes.

| slowest | seconds |
|---|---|
${slowest.join("\n")}
`;
  await Bun.write(new URL(`../bench/results/tests-${date}.md`, import.meta.url), text);
}

const skipped = await ensureDebianPackages(debianPackages);
const missing = (await findMysql()) ? skipped : [...skipped, MYSQL_PACKAGE];
let failed = 0;
let passed = 0;
if (isWhole) {
  for (const step of [["scripts/build-web.ts"], ["scripts/check.ts"]]) {
    if (!existsSync(step[0] ?? "")) continue;
    if ((await run([process.execPath, ...step])) === 0) passed++;
    else failed++;
  }
}
// The slowest first, so that no core is idle at the end. Whoever made tests slower or faster keeps new times.
const order = [`--timings=${timings}`, ...(keepsTimings ? ["--update-timings"] : [])];
// Three files at a time on two cores: much of the time is waiting, for players that play and servers that start.
const report = await runTests(["--parallel=3", ...order], chosen);
let { failures, code } = report;
const suspects = isWhole && code !== 0 && report.tests > 0 ? filesOf(report) : [];
if (suspects.length > 0 && suspects.length <= MOST_UNSTEADY_FILES) {
  console.log(`\nOnce more, alone: ${suspects.join(", ")}\n`);
  ({ failures, code } = await runTests([], suspects));
}
failed += failures === 0 && code !== 0 ? 1 : failures;
passed += report.tests - report.skipped - failures;
if (skipped.length > 0) {
  console.log(`Some suites were skipped. This installs what they need: apt-get install -y ${skipped.join(" ")}`);
}
if (missing.includes(MYSQL_PACKAGE)) console.log(`MySQL's suites were skipped. This fetches it: ${MYSQL_COMMAND}`);
if (code === 0 && suspects.length > 0) console.log(`Unsteady, failed once and passed alone: ${suspects.join(", ")}`);
if (long) await keepResult();
console.log(`${passed} passed, ${failed} failed, ${report.skipped} skipped`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
