import { existsSync, readFileSync } from "node:fs";
import { ConfigError, type ConfigProblem } from "./errors.ts";
import { type ConfigField, configFields } from "./fields.ts";
import { nearest } from "./nearest.ts";
import { type Config, configSchema } from "./schema.ts";

const DEFAULT_FILE = "./kinora.yaml";
const FILE_VARIABLE = "KINORA_CONFIG";

/** Variables that are not ours to judge: those of the test runner, and those Kubernetes makes for a service named kinora. */
const FOREIGN = /^KINORA_(TEST_.*|SERVICE_(HOST|PORT)(_.*)?|PORT(_\d+_(TCP|UDP)(_.*)?)?)$/;

export interface ConfigInputs {
  /** The configuration file; else `KINORA_CONFIG`, else `./kinora.yaml` when it is there. */
  readonly file?: string | undefined;
  /** Default: the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Keys set on the command line; they win over everything. */
  readonly set?: Readonly<Record<string, string>>;
  /** Library folders on the command line; added to those of the configuration. */
  readonly folders?: readonly string[];
}

/** A value as it was written, and where. */
export interface Setting {
  readonly value: unknown;
  readonly source: string;
}

export interface LoadedConfig {
  readonly config: Config;
  /** What was set, by key; a key that is not in it has its default. */
  readonly settings: ReadonlyMap<string, Setting>;
}

class Settings {
  readonly byKey = new Map<string, Setting>();
  readonly problems: ConfigProblem[] = [];

  set(field: ConfigField, value: unknown, source: string): void {
    this.byKey.set(field.key, { value, source });
  }

  /** A value that came as text: lists are separated by commas. */
  setText(field: ConfigField, text: string, source: string): void {
    const list = () =>
      text
        .split(",")
        .map((entry) => entry.trim())
        .filter((entry) => entry !== "");
    this.set(field, field.list ? list() : text, source);
  }

  unknown(field: string, source: string, known: readonly string[]): void {
    const suggestion = nearest(field, known);
    const hint = suggestion ? ` Did you mean ${suggestion}?` : "";
    this.problems.push({ field, source, message: `there is no such setting.${hint}` });
  }
}

const fieldByKey = new Map(configFields.map((field) => [field.key, field]));
const fieldByEnv = new Map(configFields.map((field) => [field.env, field]));
const groups = new Set(
  configFields.flatMap(({ key }) => (key.includes(".") ? [key.slice(0, key.lastIndexOf("."))] : [])),
);

/**
 * Reads the configuration: file, then environment, then command line, each winning over the one before.
 * Throws `ConfigError` with every problem found.
 */
export async function loadConfig(inputs: ConfigInputs = {}): Promise<LoadedConfig> {
  const env = inputs.env ?? process.env;
  const settings = new Settings();
  await readFile(settings, inputs.file ?? (env[FILE_VARIABLE] || undefined));
  readEnvironment(settings, env);
  for (const [key, text] of Object.entries(inputs.set ?? {})) {
    const field = fieldByKey.get(key);
    if (field) settings.setText(field, text, "command line");
    else settings.unknown(key, "command line", [...fieldByKey.keys()]);
  }
  addFolders(settings, inputs.folders ?? []);
  return { config: parse(settings), settings: settings.byKey };
}

async function readFile(settings: Settings, named: string | undefined): Promise<void> {
  const path = named ?? DEFAULT_FILE;
  const source = `file ${path}`;
  if (named === undefined && !existsSync(path)) return;
  // Loaded only when there is a file: a start without one need not wait for it.
  const { parse: parseYaml } = await import("yaml");
  let content: unknown;
  try {
    content = parseYaml(readFileSync(path, "utf8"));
  } catch (error) {
    const detail = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new ConfigError([{ field: "configuration", source, message: `cannot be read: ${detail}` }]);
  }
  readTree(settings, content ?? {}, "", source);
}

function readTree(settings: Settings, tree: unknown, key: string, source: string): void {
  if (typeof tree !== "object" || tree === null || Array.isArray(tree)) {
    const message = `expected keys and values, got ${show(tree)}`;
    settings.problems.push({ field: key || "configuration", source, message });
    return;
  }
  for (const [name, value] of Object.entries(tree)) {
    const path = key === "" ? name : `${key}.${name}`;
    const field = fieldByKey.get(path);
    if (!field && !groups.has(path)) settings.unknown(path, source, [...fieldByKey.keys(), ...groups]);
    // A key with nothing after it is not set.
    else if (value === null) continue;
    else if (field) settings.set(field, typeof value === "number" ? String(value) : value, source);
    else readTree(settings, value, path, source);
  }
}

function readEnvironment(settings: Settings, env: Readonly<Record<string, string | undefined>>): void {
  for (const field of configFields) {
    const text = field.alsoEnv === null ? undefined : env[field.alsoEnv];
    if (text && !settings.byKey.has(field.key)) settings.setText(field, text, `environment ${field.alsoEnv}`);
  }
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith("KINORA_") || name === FILE_VARIABLE || FOREIGN.test(name)) continue;
    const field = fieldByEnv.get(name);
    if (!field) settings.unknown(name, "environment", [...fieldByEnv.keys(), FILE_VARIABLE]);
    // Compose files hand over empty variables for what is not set.
    else if (text) settings.setText(field, text, `environment ${name}`);
  }
}

function addFolders(settings: Settings, folders: readonly string[]): void {
  const field = fieldByKey.get("library.folders");
  if (!field || folders.length === 0) return;
  const before = settings.byKey.get(field.key);
  const listed = Array.isArray(before?.value) ? before.value : [];
  settings.set(field, [...listed, ...folders], before ? `${before.source} and command line` : "command line");
}

function parse(settings: Settings): Config {
  const parsed = configSchema.safeParse(nest(settings.byKey));
  if (parsed.success && settings.problems.length === 0) return parsed.data;
  for (const issue of parsed.error?.issues ?? []) {
    settings.problems.push(describe(settings, issue.path.map(String), issue.code === "custom" ? issue.message : null));
  }
  throw new ConfigError(settings.problems);
}

function describe(settings: Settings, path: readonly string[], message: string | null): ConfigProblem {
  const key = path.join(".");
  const field = configFields.find((known) => key === known.key || key.startsWith(`${known.key}.`));
  const setting = settings.byKey.get(field?.key ?? "");
  const problem = message ?? `expected ${field?.expects ?? "another value"}`;
  if (!setting) return { field: key, source: "not set", message: problem };
  const got = field?.secret ? "" : `, got ${show(setting.value)}`;
  return { field: field?.key ?? key, source: setting.source, message: problem + got };
}

function nest(byKey: ReadonlyMap<string, Setting>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [key, { value }] of byKey) {
    const [first = "", second] = key.split(".");
    if (second === undefined) root[first] = value;
    else root[first] = { ...(root[first] as object | undefined), [second]: value };
  }
  return root;
}

/** A value in a message: short, and without the password a URL may hold. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return hidePassword(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}

/** `mysql://kinora:secret@db/kinora` → `mysql://kinora:•••@db/kinora`. */
export const hidePassword = (text: string) => text.replace(/(\w:\/\/[^\s:/@"]*):[^\s"]*@/g, "$1:•••@");
