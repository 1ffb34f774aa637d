/**
 * Runs everything a change must pass: what the tests need is installed, then `check`, then every test.
 * Ends with one line `N passed, N failed`. Arguments that are no options choose test files. `--long` runs the long
 * suites whole, `--keep-timings` writes what each file took to `test/timings.json`, which says in which order they run.
 */
import { existsSync } from "node:fs";
import { debianPackages, ensureDebianPackages } from "./support/debian.ts";
import { findMysql, MYSQL_COMMAND, MYSQL_PACKAGE } from "./support/mysql-root.ts";

const args = Bun.argv.slice(2);
const long = args.includes("--long");
const keepsTimings = args.includes("--keep-timings");
const timings = new URL("timings.json", import.meta.url).pathname;
const files = args.filter((arg) => !arg.startsWith("--"));

async function run(command: string[], env: Record<string, string> = {}): Promise<number> {
  const child = Bun.spawn(command, { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...env } });
  return child.exited;
}

/** The long run's figures, dated: `bench/results/tests-{date}.md`. */
async function keepResult(): Promise<void> {
  const date = new Date().toISOString().slice(0, 10);
  const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
  const slowest = [...report.matchAll(/<testcase name="([^"]*)"[^>]*? time="([\d.]+)"/g)]
    .map(([, name = "", seconds = "0"]) => ({ name, seconds: Number(seconds) }))
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, 20)
    .map(({ name, seconds }) => `| ${name} | ${seconds.toFixed(1)} |`);
  const chosen = files.length > 0 ? ` of ${files.join(", ")}` : "";
  const text = `# Long tests${chosen}, ${date}

${passed} passed, ${failed} failed, ${count("skipped")} skipped in ${minutes} minutes.

| slowest | seconds |
|---|---|
${slowest.join("\n")}
`;
  await Bun.write(new URL(`../bench/results/tests-${date}.md`, import.meta.url), text);
}

const startedAt = performance.now();
const skipped = await ensureDebianPackages(debianPackages);
const missing = (await findMysql()) ? skipped : [...skipped, MYSQL_PACKAGE];
let failed = 0;
let passed = 0;
if (files.length === 0) {
  for (const step of [["scripts/build-web.ts"], ["scripts/check.ts"]]) {
    if (!existsSync(step[0] ?? "")) continue;
    if ((await run([process.execPath, ...step])) === 0) passed++;
    else failed++;
  }
}
const junit = `${process.env.TMPDIR ?? "/tmp"}/kinora-tests-${process.pid}.xml`;
const settings = ["--timeout", "60000", "--reporter=junit", `--reporter-outfile=${junit}`];
// The slowest first, so that no core is idle at the end. Whoever made tests slower or faster keeps new times.
const order = [`--timings=${timings}`, ...(keepsTimings ? ["--update-timings"] : [])];
const code = await run(
  // Three files at a time on two cores: much of the time is waiting, for players that play and servers that start.
  [process.execPath, "test", "--parallel=3", ...order, ...settings, ...files],
  { KINORA_TEST_LONG: long ? "1" : "", KINORA_TEST_MISSING: missing.join(" ") },
);
const report = existsSync(junit) ? await Bun.file(junit).text() : "";
const count = (name: string) =>
  Number(/<testsuites[^>]*>/.exec(report)?.[0].match(new RegExp(`${name}="(\\d+)"`))?.[1] ?? 0);
const failures = count("failures");
failed += failures;
passed += count("tests") - failures - count("skipped");
if (code !== 0 && failures === 0) failed++;
if (skipped.length > 0) {
  console.log(`Some suites were skipped. This installs what they need: apt-get install -y ${skipped.join(" ")}`);
}
if (missing.includes(MYSQL_PACKAGE)) console.log(`MySQL's suites were skipped. This fetches it: ${MYSQL_COMMAND}`);
if (long) await keepResult();
console.log(`${passed} passed, ${failed} failed, ${count("skipped")} skipped`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
