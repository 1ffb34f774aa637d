import { createHash } from "node:crypto";
import { z } from "zod";
import type { CollectionPosition } from "./collection-repository.ts";
import type { TitleQuery } from "./contract.ts";
import { InvalidCursorError } from "./errors.ts";
import type { Position } from "./title-repository.ts";

const CHECK_LENGTH = 12;
const content = z.tuple([
  z.number().int(),
  z.union([z.string(), z.number()]).nullable(),
  z.string().length(CHECK_LENGTH),
]);

/** Makes the opaque text that continues a search after a position. */
export function encodeCursor(query: TitleQuery, { place, key: given }: Position): string {
  const key = given ?? null;
  return Buffer.from(JSON.stringify([place, key, checkOf(query, place, key)])).toString("base64url");
}

/** Reads a cursor of the same search; throws `InvalidCursorError` for any other text. */
export function decodeCursor(query: TitleQuery): Position | null {
  if (query.cursor === undefined) return null;
  const parsed = content.safeParse(parse(query.cursor));
  if (!parsed.success) throw new InvalidCursorError();
  const [place, key, check] = parsed.data;
  if (check !== checkOf(query, place, key)) throw new InvalidCursorError();
  return key === null ? { place } : { place, key };
}

/** Not a signature: a position gives access to nothing. It finds damage and cursors of other searches. */
function checkOf({ limit: _, cursor: __, ...search }: TitleQuery, place: number, key: string | number | null) {
  const asked = Object.entries(search)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return digest([asked, place, key]);
}

const listContent = z.tuple([z.string(), z.uuid(), z.string().length(CHECK_LENGTH)]);

/** The same for lists of collections; `asked` is what else makes the list. */
export function encodeListCursor({ nameKey, id }: CollectionPosition, asked: unknown): string {
  return Buffer.from(JSON.stringify([nameKey, id, digest([asked, nameKey, id])])).toString("base64url");
}

export function decodeListCursor(cursor: string, asked: unknown): CollectionPosition {
  const parsed = listContent.safeParse(parse(cursor));
  if (!parsed.success) throw new InvalidCursorError();
  const [nameKey, id, check] = parsed.data;
  if (check !== digest([asked, nameKey, id])) throw new InvalidCursorError();
  return { nameKey, id };
}

const digest = (content: unknown) =>
  createHash("sha256").update(JSON.stringify(content)).digest("base64url").slice(0, CHECK_LENGTH);

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString());
  } catch {
    return null;
  }
}
