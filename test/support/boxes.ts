import { Box } from "../../src/media/mp4/box.ts";
import { box } from "../../src/media/mp4/box-writer.ts";

const containers = new Set(["moov", "trak", "edts", "mdia", "minf", "dinf", "stbl"]);

/** Where a box of the top level starts and ends. */
export function findBox(bytes: Uint8Array, type: string): { start: number; end: number } {
  const found = new Box("file", bytes, 0).children({ lenient: true }).find((child) => child.type === type);
  if (found === undefined) throw new Error(`there is no ${type}`);
  return { start: found.offset - found.headerBytes, end: found.offset + found.size };
}

/** The `moov` of a file, with each box for which `replace` gives bytes replaced by them. */
export function rebuildMovieBox(bytes: Uint8Array, replace: (child: Box) => Uint8Array | null): Uint8Array {
  const rebuild = (child: Box): Uint8Array => {
    const replaced = replace(child);
    if (replaced !== null) return replaced;
    return containers.has(child.type) ? box(child.type, ...child.children().map(rebuild)) : child.bytes;
  };
  return rebuild(new Box("file", bytes, 0).children({ lenient: true }).find(({ type }) => type === "moov") ?? fail());
}

function fail(): never {
  throw new Error("there is no moov");
}
