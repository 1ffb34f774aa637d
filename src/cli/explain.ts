import { ConfigError } from "../config/errors.ts";
import { StartError } from "../errors.ts";
import { refuse } from "./settings.ts";

/** Something else than the configuration is in the way. */
export const EXIT_FAILURE = 1;

/** Says in a line or two why Kinora cannot start, and ends the process. */
export function explain(error: unknown): never {
  if (error instanceof ConfigError) refuse(error);
  if (error instanceof StartError) console.error(`Kinora cannot start: ${error.message}\n${error.hint}`);
  else console.error("Kinora cannot start, and this looks like a mistake in it:", error);
  process.exit(EXIT_FAILURE);
}
