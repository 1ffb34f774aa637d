import type { ApiSchema } from "./openapi.ts";

/** A schema in a line or a block that people read, in the notation of TypeScript. */
export function schemaText(schema: ApiSchema, indent = ""): string {
  if (schema.$ref) return schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map((choice) => schemaText(choice, indent)).join(" | ");
  if (schema.allOf) return schema.allOf.map((part) => schemaText(part, indent)).join(" & ");
  if (schema.properties) return objectText(schema, indent);
  const types = [schema.type ?? "any"].flat();
  return types
    .map((type) => (type === "array" ? `${itemText(schema, indent)}[]` : scalarText(type, schema)))
    .join(" | ");
}

function itemText({ items = {} }: ApiSchema, indent: string): string {
  const text = schemaText(items, indent);
  return text.includes(" | ") && !text.startsWith("{") ? `(${text})` : text;
}

function objectText({ properties = {}, required = [], type }: ApiSchema, indent: string): string {
  const inner = `${indent}  `;
  const lines = Object.entries(properties).map(
    ([name, schema]) =>
      `${inner}${name}${required.includes(name) ? "" : "?"}: ${schemaText(schema, inner)}${about(schema)}`,
  );
  return `{\n${lines.join("\n")}\n${indent}}${[type].flat().includes("null") ? " | null" : ""}`;
}

const about = ({ description, default: standard }: ApiSchema) => {
  const notes = [description, standard === undefined ? undefined : `default ${JSON.stringify(standard)}`].filter(
    Boolean,
  );
  return notes.length > 0 ? `  // ${notes.join("; ")}` : "";
};

function scalarText(type: string, { format, minimum, maximum, minLength, maxLength }: ApiSchema): string {
  const low = minimum ?? minLength;
  const high = maximum ?? maxLength;
  // The largest safe integer is no limit anybody meant.
  const hasHigh = high !== undefined && high < Number.MAX_SAFE_INTEGER;
  const hasLow = low !== undefined && low > -Number.MAX_SAFE_INTEGER;
  const upTo = hasLow ? `${low}–${high}` : `≤ ${high}`;
  const range = hasHigh ? upTo : hasLow ? `≥ ${low}` : undefined;
  const notes = type === "null" ? [] : [format, range].filter((note) => note !== undefined);
  return notes.length > 0 ? `${type} (${notes.join(", ")})` : type;
}
