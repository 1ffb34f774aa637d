/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  /** The key or variable as it was written. */
  readonly field: string;
  /** Where it was set: `file kinora.yaml`, `environment KINORA_LISTEN`, `command line`, `default`. */
  readonly source: string;
  /** What is wrong, what was expected, and what came. */
  readonly message: string;
}

/** The configuration cannot be used. The message has one line for each problem; it never shows a secret. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(({ field, source, message }) => `${field} (${source}): ${message}`).join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
  }
}
