import { z } from "zod";
import { InvalidMessageError } from "./errors.ts";

/** Encodes a value as JSON after checking it against its schema; throws `InvalidMessageError`. */
export function encode(where: string, schema: z.ZodType, value: unknown): string {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new InvalidMessageError(where, z.prettifyError(parsed.error), parsed.error);
  return JSON.stringify(parsed.data ?? null);
}

/** Decodes JSON and checks it against its schema; throws `InvalidMessageError`. */
export function decode<Schema extends z.ZodType>(where: string, schema: Schema, body: string): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (cause) {
    throw new InvalidMessageError(where, "expected JSON", cause);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new InvalidMessageError(where, z.prettifyError(parsed.error), parsed.error);
  return parsed.data;
}
