/** Bytes of one object of a source; the last one is shorter. */
export const PART_BYTES = 16 << 20;

const folderOf = (sourceId: string): string => {
  if (!/^[0-9a-f-]{36}$/.test(sourceId)) throw new Error("A source's id must be a UUID.");
  return `sources/${sourceId}/`;
};

/** What the keys of a source's objects begin with. */
export const sourceKeys = folderOf;

/** The key of a source's object number `part`. */
export const partKey = (sourceId: string, part: number): string => `${folderOf(sourceId)}${part}`;

/** The name of the object by which streaming says that a source is its own: no upload removes it then. */
export const KEPT = "kept";

/** The number in a key; NaN when it is none of ours. */
export const partOf = (key: string): number => {
  const name = key.slice(key.lastIndexOf("/") + 1);
  return /^\d{1,9}$/.test(name) ? Number(name) : Number.NaN;
};

/** How many bytes the object number `part` of a source has. */
export const partBytes = (sizeBytes: number, part: number): number =>
  Math.max(0, Math.min(PART_BYTES, sizeBytes - part * PART_BYTES));
