import { ConfigError } from "../config/errors.ts";
import { type LoadedConfig, loadConfig } from "../config/load.ts";

/** What the command line says about the configuration. */
export interface SettingOptions {
  readonly config?: string;
  readonly listen?: string;
  readonly data?: string;
  /** `key=value` pairs. */
  readonly set?: readonly string[];
}

/** The start was refused because of what the operator wrote. */
export const EXIT_CONFIGURATION = 2;

/** Loads the configuration, or says what is wrong with it and ends the process with code 2. */
export async function loadOrExit(options: SettingOptions, folders: readonly string[] = []): Promise<LoadedConfig> {
  try {
    return await loadConfig({ file: options.config, set: pairsOf(options), folders });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    refuse(error);
  }
}

/** Prints what is wrong with the configuration and ends the process with code 2. */
export function refuse(error: ConfigError): never {
  console.error("Kinora cannot start with this configuration:");
  for (const line of error.message.split("\n")) console.error(`  ${line}`);
  process.exit(EXIT_CONFIGURATION);
}

function pairsOf({ listen, data, set = [] }: SettingOptions): Record<string, string> {
  const pairs: Record<string, string> = {};
  if (listen !== undefined) pairs.listen = listen;
  if (data !== undefined) pairs.data = data;
  for (const pair of set) {
    const equals = pair.indexOf("=");
    if (equals <= 0) {
      throw new ConfigError([{ field: pair, source: "command line", message: "expected --set key=value" }]);
    }
    pairs[pair.slice(0, equals)] = pair.slice(equals + 1);
  }
  return pairs;
}
