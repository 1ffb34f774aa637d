import type { z } from "zod";
import { configShape } from "./schema.ts";

/** One key of the configuration, as the schema describes it. */
export interface ConfigField {
  /** Dotted, as in the file: `upload.maxSize`. */
  readonly key: string;
  /** Its environment variable: `KINORA_UPLOAD_MAX_SIZE`. */
  readonly env: string;
  readonly description: string;
  /** What a value looks like, as error messages say it. */
  readonly expects: string;
  /** The default as a person would write it; null when there is none or it depends on other keys. */
  readonly default: unknown;
  /** Said in place of the default when it depends on other keys. */
  readonly defaultText: string | null;
  readonly example: unknown;
  readonly list: boolean;
  readonly secret: boolean;
  /** A variable of another program that counts where nothing else is set; null for most. */
  readonly alsoEnv: string | null;
}

interface Node {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly in?: z.ZodType;
  readonly defaultValue?: unknown;
}

const nodeOf = (schema: z.ZodType) => schema.def as unknown as Node;

/** The schema itself and what its wrappers (default, nullable, pipe) hold, outermost first. */
function* layers(schema: z.ZodType): Generator<z.ZodType> {
  for (let next: z.ZodType | undefined = schema; next; next = nodeOf(next).innerType ?? nodeOf(next).in) yield next;
}

function firstOf<T>(schema: z.ZodType, read: (layer: z.ZodType) => T | undefined): T | undefined {
  for (const layer of layers(schema)) {
    const found = read(layer);
    if (found !== undefined) return found;
  }
  return undefined;
}

const meta = (schema: z.ZodType, name: string) => firstOf(schema, (layer) => layer.meta()?.[name]);

/** `upload.maxSize` → `KINORA_UPLOAD_MAX_SIZE`. */
const envNameOf = (key: string) =>
  `KINORA_${key
    .replaceAll(".", "_")
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .toUpperCase()}`;

function describe(key: string, schema: z.ZodType): ConfigField {
  const element = firstOf(schema, (layer) => nodeOf(layer).element);
  const expects = String(meta(element ?? schema, "expects") ?? "a text");
  return {
    key,
    env: envNameOf(key),
    description: String(meta(schema, "description") ?? ""),
    expects: element ? `a list, each ${expects}` : expects,
    default: firstOf(schema, (layer) => nodeOf(layer).defaultValue) ?? null,
    defaultText: (meta(schema, "defaultText") as string | undefined) ?? null,
    example: meta(schema, "example") ?? null,
    list: element !== undefined,
    secret: meta(schema, "secret") === true,
    alsoEnv: (meta(schema, "alsoEnv") as string | undefined) ?? null,
  };
}

function walk(schema: z.ZodType, prefix: string): ConfigField[] {
  const shape = firstOf(schema, (layer) => nodeOf(layer).shape) ?? {};
  return Object.entries(shape).flatMap(([name, child]) => {
    const isGroup = firstOf(child, (layer) => nodeOf(layer).shape) !== undefined;
    return isGroup ? walk(child, `${prefix}${name}.`) : [describe(prefix + name, child)];
  });
}

/** Every key, in the order of the schema. */
export const configFields: readonly ConfigField[] = walk(configShape, "");
