import type { ByteSource } from "./byte-source.ts";
import { headBytes, sniffContainer } from "./container.ts";
import type { Box } from "./mp4/box.ts";
import { box } from "./mp4/box-writer.ts";
import { FileLimits } from "./mp4/file-limits.ts";
import { readBox, readMovieBox, scanTopLevel, type TopLevelBox } from "./mp4/top-level.ts";
import type { ByteRange, SegmentPlan } from "./segment-plan.ts";

/** Boxes on the way to the chunk offsets. */
const containers = new Set(["moov", "trak", "mdia", "minf", "stbl"]);
const maxDepth = 8;
const tableHeaderBytes = 8;
const boxHeaderBytes = 8;
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
  const moved = await moveMovieBox(moov, place, new FileLimits(source.size));
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
async function moveMovieBox(moov: Box, place: TopLevelBox, limits: FileLimits): Promise<Uint8Array> {
  for (const large of [false, true]) {
    // The size does not depend on the offsets, only on how many bytes each takes.
    const size = rewrittenSize(moov, large);
    const move: Move = (offset) => (offset < place.offset ? offset + size : offset + size - place.size);
    const fits = large || (await largestOffset(moov, limits)) + size <= maxOffset32;
    if (fits) return rewrite(moov, move, { large, limits });
  }
  return moov.bytes;
}

function rewrittenSize(original: Box, large: boolean): number {
  if (containers.has(original.type)) {
    checkDepth(original);
    return original.children().reduce((sum, child) => sum + rewrittenSize(child, large), boxHeaderBytes);
  }
  if (!isOffsets(original)) return original.bytes.length;
  return boxHeaderBytes + tableHeaderBytes + offsetsOf(original).count * (large || original.type === "co64" ? 8 : 4);
}

async function rewrite(
  original: Box,
  move: Move,
  how: { readonly large: boolean; readonly limits: FileLimits },
): Promise<Uint8Array> {
  if (containers.has(original.type)) {
    const children: Uint8Array[] = [];
    for (const child of original.children()) children.push(await rewrite(child, move, how));
    return box(original.type, ...children);
  }
  return isOffsets(original) ? moveOffsets(original, move, how) : original.bytes;
}

const isOffsets = ({ type }: Box) => type === "stco" || type === "co64";

function checkDepth(parent: Box): void {
  const depth = parent.path.split("/").length;
  if (depth > maxDepth) parent.fail("boxes are nested too deep", { expected: maxDepth, got: depth });
}

function offsetsOf(table: Box): { count: number; offsetAt: (chunk: number) => number } {
  const count = table.u32(4);
  const isLarge = table.type === "co64";
  const view = table.table(tableHeaderBytes, count, isLarge ? 8 : 4);
  return {
    count,
    offsetAt: (chunk) => (isLarge ? table.u64(tableHeaderBytes + chunk * 8) : view.getUint32(chunk * 4)),
  };
}

async function moveOffsets(
  table: Box,
  move: Move,
  { large, limits }: { large: boolean; limits: FileLimits },
): Promise<Uint8Array> {
  const { count, offsetAt } = offsetsOf(table);
  const isLarge = large || table.type === "co64";
  const content = new Uint8Array(tableHeaderBytes + count * (isLarge ? 8 : 4));
  const view = new DataView(content.buffer);
  view.setUint32(4, count);
  await limits.inSlices(count, (from, to) => {
    for (let i = from; i < to; i++) {
      if (isLarge) view.setBigUint64(tableHeaderBytes + i * 8, BigInt(move(offsetAt(i))));
      else view.setUint32(tableHeaderBytes + i * 4, move(offsetAt(i)));
    }
  });
  return box(isLarge ? "co64" : "stco", content);
}

/** The largest 32-bit chunk offset below `moov`. */
async function largestOffset(parent: Box, limits: FileLimits): Promise<number> {
  let largest = 0;
  if (parent.type === "stco") {
    const { count, offsetAt } = offsetsOf(parent);
    await limits.inSlices(count, (from, to) => {
      for (let i = from; i < to; i++) largest = Math.max(largest, offsetAt(i));
    });
  } else if (containers.has(parent.type)) {
    checkDepth(parent);
    for (const child of parent.children()) largest = Math.max(largest, await largestOffset(child, limits));
  }
  return largest;
}
