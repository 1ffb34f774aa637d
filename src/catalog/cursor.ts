import { createHash } from "node:crypto";
import { z } from "zod";
import type { TitleQuery } from "./contract.ts";
import { InvalidCursorError } from "./errors.ts";
import type { Position } from "./title-repository.ts";

const CHECK_LENGTH = 12;
const content = z.tuple([z.number().int(), z.string().nullable(), z.string().length(CHECK_LENGTH)]);

/** Makes the opaque text that continues a search after a position. */
export function encodeCursor(query: TitleQuery, { place, nameKey }: Position): string {
  const key = nameKey ?? null;
  return Buffer.from(JSON.stringify([place, key, checkOf(query, place, key)])).toString("base64url");
}

/** Reads a cursor of the same search; throws `InvalidCursorError` for any other text. */
export function decodeCursor(query: TitleQuery): Position | null {
  if (query.cursor === undefined) return null;
  const parsed = content.safeParse(parse(query.cursor));
  if (!parsed.success) throw new InvalidCursorError();
  const [place, nameKey, check] = parsed.data;
  if (check !== checkOf(query, place, nameKey)) throw new InvalidCursorError();
  return nameKey === null ? { place } : { place, nameKey };
}

/** Not a signature: a position gives access to nothing. It finds damage and cursors of other searches. */
function checkOf(
  { q, name, exact, tags, match, owner, folder, below, sort }: TitleQuery,
  place: number,
  nameKey: string | null,
) {
  return createHash("sha256")
    .update(
      JSON.stringify([q ?? "", name ?? "", exact, tags, match, owner ?? "", folder ?? "", below, sort, place, nameKey]),
    )
    .digest("base64url")
    .slice(0, CHECK_LENGTH);
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString());
  } catch {
    return null;
  }
}
