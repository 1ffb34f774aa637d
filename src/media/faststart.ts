import type { ByteSource } from "./byte-source.ts";
import { headBytes, sniffContainer } from "./container.ts";
import type { Box } from "./mp4/box.ts";
import { box } from "./mp4/box-writer.ts";
import { readBox, readMovieBox, scanTopLevel, type TopLevelBox } from "./mp4/top-level.ts";
import type { ByteRange, SegmentPlan } from "./segment-plan.ts";

/** Boxes on the way to the chunk offsets. */
const containers = new Set(["moov", "trak", "mdia", "minf", "stbl"]);
const maxDepth = 8;
const tableHeaderBytes = 8;
const maxOffset32 = 2 ** 32 - 1;

/** Where a chunk goes. */
type Move = (offset: number) => number;

/**
 * The original with `moov` before `mdat`, so that a browser plays it while it loads; null when it is already so, or is
 * no MP4 or MOV. Throws a `MediaError` like `openMedia`.
 */
export async function faststartPlan(source: ByteSource): Promise<SegmentPlan | null> {
  if (sniffContainer(await source.read(0, Math.min(headBytes, source.size))) !== "mp4") return null;
  const topLevel = await scanTopLevel(source);
  const moov = await readMovieBox(source, topLevel);
  const place = topLevel.boxes.find(({ type }) => type === "moov");
  const firstData = topLevel.boxes.find(({ type }) => type === "mdat");
  if (place === undefined || firstData === undefined || place.offset < firstData.offset) return null;
  const fileType = await leadingFileType(source, topLevel.boxes);
  const moved = moveMovieBox(moov, place);
  const header = new Uint8Array(fileType.length + moved.length);
  header.set(fileType);
  header.set(moved, fileType.length);
  const end = place.offset + place.size;
  const ranges: ByteRange[] = [
    { offset: fileType.length, length: place.offset - fileType.length },
    { offset: end, length: source.size - end },
  ].filter(({ length }) => length > 0);
  return { header, ranges, sizeBytes: source.size - place.size + moved.length };
}

/** `ftyp` stays the first box (ISO/IEC 14496-12 section 4.3). */
async function leadingFileType(source: ByteSource, boxes: readonly TopLevelBox[]): Promise<Uint8Array> {
  const first = boxes[0];
  return first?.type === "ftyp" ? (await readBox(source, first)).bytes : new Uint8Array(0);
}

/** `moov` with the chunk offsets that hold once it stands before everything but `ftyp`. */
function moveMovieBox(moov: Box, place: TopLevelBox): Uint8Array {
  for (const large of [false, true]) {
    // The size does not depend on the offsets, only on how many bytes each takes.
    const size = rewrite(moov, (offset) => offset, large).length;
    const move: Move = (offset) => (offset < place.offset ? offset + size : offset + size - place.size);
    const fits = large || largestOffset(moov) + size <= maxOffset32;
    if (fits) return rewrite(moov, move, large);
  }
  return moov.bytes;
}

function rewrite(original: Box, move: Move, large: boolean): Uint8Array {
  if (containers.has(original.type)) {
    checkDepth(original);
    return box(original.type, ...original.children().map((child) => rewrite(child, move, large)));
  }
  if (original.type !== "stco" && original.type !== "co64") return original.bytes;
  return writeOffsets(readOffsets(original), move, large || original.type === "co64");
}

function checkDepth(parent: Box): void {
  const depth = parent.path.split("/").length;
  if (depth > maxDepth) parent.fail("boxes are nested too deep", { expected: maxDepth, got: depth });
}

function readOffsets(table: Box): Float64Array {
  const count = table.u32(4);
  const entryBytes = table.type === "co64" ? 8 : 4;
  table.table(tableHeaderBytes, count, entryBytes);
  const offsets = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const at = tableHeaderBytes + i * entryBytes;
    offsets[i] = entryBytes === 8 ? table.u64(at) : table.u32(at);
  }
  return offsets;
}

function writeOffsets(offsets: Float64Array, move: Move, large: boolean): Uint8Array {
  const content = new Uint8Array(tableHeaderBytes + offsets.length * (large ? 8 : 4));
  const view = new DataView(content.buffer);
  view.setUint32(4, offsets.length);
  offsets.forEach((offset, i) => {
    if (large) view.setBigUint64(tableHeaderBytes + i * 8, BigInt(move(offset)));
    else view.setUint32(tableHeaderBytes + i * 4, move(offset));
  });
  return box(large ? "co64" : "stco", content);
}

/** The largest 32-bit chunk offset below `moov`. */
function largestOffset(parent: Box): number {
  if (parent.type === "stco") return readOffsets(parent).reduce((max, offset) => Math.max(max, offset), 0);
  if (!containers.has(parent.type)) return 0;
  checkDepth(parent);
  return parent.children().reduce((max, child) => Math.max(max, largestOffset(child)), 0);
}
