import { effectiveSettings } from "../config/effective.ts";
import { loadOrExit, type SettingOptions } from "./settings.ts";

/** `kinora config`: every key, its value as YAML, and where it comes from. */
export async function printConfig(options: SettingOptions): Promise<void> {
  const rows = effectiveSettings(await loadOrExit(options));
  const width = Math.min(60, Math.max(...rows.map(({ line }) => line.length)));
  for (const { line, source } of rows) console.log(source ? `${line.padEnd(width)}  # ${source}` : line);
}
