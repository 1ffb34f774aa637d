import { configFields } from "./fields.ts";
import { hidePassword, type LoadedConfig } from "./load.ts";
import type { Config } from "./schema.ts";
import { formatListenAddress } from "./values.ts";

/** One line of the configuration in effect. The lines without their sources are a configuration file. */
export interface EffectiveLine {
  readonly line: string;
  /** Where the value comes from; null for a line that only opens a group. */
  readonly source: string | null;
}

/** What keys have whose default depends on others. */
const derived: Readonly<Record<string, (config: Config) => unknown>> = {
  data: (config) => config.data,
  registration: (config) => config.registration,
  "rtsp.listen": ({ rtsp }) => (rtsp.listen ? formatListenAddress(rtsp.listen) : "off"),
  database: ({ database }) => (database.kind === "sqlite" ? `sqlite:${database.path}` : undefined),
  storage: ({ storage }) => (storage.kind === "file" ? `file:${storage.path}` : undefined),
};

/** Every key with its value and source. Secrets, and passwords in addresses, are hidden. */
export function effectiveSettings({ config, settings }: LoadedConfig): EffectiveLine[] {
  let group = "";
  return configFields.flatMap((field) => {
    const [first = "", second] = field.key.split(".");
    const setting = settings.get(field.key);
    const value = derived[field.key]?.(config) ?? setting?.value ?? field.default;
    const text = field.secret && setting ? '"•••"' : hidePassword(asYaml(value));
    const line = { line: `${second ? `  ${second}` : first}: ${text}`, source: setting?.source ?? "default" };
    const opens = second !== undefined && group !== first;
    group = first;
    return opens ? [{ line: `${first}:`, source: null }, line] : [line];
  });
}

/** A value in YAML's flow style. JSON is YAML; what needs no quotes gets none. */
export function asYaml(value: unknown): string {
  if (typeof value === "string")
    return /^[\w./~][\w./~:-]*$/.test(value) && !/^[\d.]+$|:$|^(true|false|null|yes|no)$/i.test(value)
      ? value
      : JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(asYaml).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    return `{ ${Object.entries(value)
      .map(([name, entry]) => `${name}: ${asYaml(entry)}`)
      .join(", ")} }`;
  }
  return JSON.stringify(value);
}
