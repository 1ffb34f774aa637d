/** What `bun test` says of its run in JUnit's form. */
export interface TestReport {
  readonly tests: number;
  readonly failures: number;
  readonly skipped: number;
  /** Those that could be loaded. */
  readonly files: ReadonlySet<string>;
  /** The files in which something failed. */
  readonly failedFiles: ReadonlySet<string>;
  /** The slowest first. */
  readonly times: readonly { readonly name: string; readonly seconds: number }[];
}

/** Reads it; empty text (nothing could be run) is a report of no tests. */
export function readTestReport(xml: string): TestReport {
  const total = /<testsuites[^>]*>/.exec(xml)?.[0] ?? "";
  const count = (name: string) => Number(new RegExp(`${name}="(\\d+)"`).exec(total)?.[1] ?? 0);
  const files = new Set<string>();
  const failedFiles = new Set<string>();
  for (const [, file = "", failures] of xml.matchAll(/<testsuite [^>]*?file="([^"]*)"[^>]*? failures="(\d+)"/g)) {
    files.add(file);
    if (failures !== "0") failedFiles.add(file);
  }
  const times = [...xml.matchAll(/<testcase name="([^"]*)"[^>]*? time="([\d.]+)"/g)]
    .map(([, name = "", seconds = "0"]) => ({ name, seconds: Number(seconds) }))
    .sort((a, b) => b.seconds - a.seconds);
  return { tests: count("tests"), failures: count("failures"), skipped: count("skipped"), files, failedFiles, times };
}
