import { childOf, childrenOf, type Element, readElementHeader, unsigned } from "../../src/media/matroska/ebml.ts";
import { ids } from "../../src/media/matroska/ids.ts";

/** How a file is written anew. */
export interface Rewriting {
  /** Puts up to 8 frames of sound into one block. */
  readonly lacing?: "xiph" | "fixed" | "ebml";
  /** Takes these bytes off each frame of the track with this number. */
  readonly stripped?: { readonly track: number; readonly bytes: Uint8Array };
  /** Segment and clusters of unknown size. */
  readonly unknownSizes?: boolean;
  readonly cues?: "front" | "end" | "none";
  /** Every block in a group that tells its duration in ticks. */
  readonly groups?: { readonly duration: number };
}

type Bytes = Uint8Array | readonly number[];

/** An EBML element. */
export function element(id: number, ...content: readonly Bytes[]): Uint8Array {
  const bytes = Buffer.concat(content.map((part) => Uint8Array.from(part)));
  return Buffer.concat([idBytes(id), Uint8Array.from([0x08, ...bigEndian(bytes.length, 4)]), bytes]);
}

const unknownSize = [0x01, ...new Array<number>(7).fill(0xff)];

function openElement(id: number, ...content: readonly Bytes[]): Uint8Array {
  return Buffer.concat([idBytes(id), Uint8Array.from(unknownSize), ...content.map((part) => Uint8Array.from(part))]);
}

const idBytes = (id: number) => Uint8Array.from(bigEndian(id, id > 0xffffff ? 4 : id > 0xffff ? 3 : id > 0xff ? 2 : 1));

function bigEndian(value: number, length: number): number[] {
  return Array.from({ length }, (_, i) => Math.floor(value / 256 ** (length - 1 - i)) % 256);
}

interface Block {
  readonly track: number;
  readonly time: number;
  readonly flags: number;
  readonly frame: Uint8Array;
}

/** Writes a file of ffmpeg (one frame in a block, known sizes, track numbers below 127) in another form. */
export function rewriteMatroska(bytes: Uint8Array, how: Rewriting): Uint8Array {
  const head = readElementHeader(bytes, 0);
  const headEnd = (head?.length ?? 0) + (head?.size ?? 0);
  const segment = readElementHeader(bytes, headEnd);
  const start = headEnd + (segment?.length ?? 0);
  const children = [...childrenOf({ content: bytes.subarray(start), offset: start })];
  const kept = children
    .filter(({ id }) => id === ids.info || id === ids.tracks)
    .map((child) => rewriteHeader(child, how));
  const clusters = children.filter(({ id }) => id === ids.cluster);
  const written = clusters.map((cluster) => rewriteCluster(cluster, how));
  const cues = children.find(({ id }) => id === ids.cues);
  const order = new Map(clusters.map(({ offset }, i) => [offset, i]));
  const place = (firstCluster: number) => {
    const positions = written.map((_, i) => firstCluster + total(written.slice(0, i)));
    return cues === undefined
      ? new Uint8Array(0)
      : rewriteCues(cues, start, bytes, (offset) => positions[order.get(offset) ?? 0] ?? 0);
  };
  const parts = how.cues === "front" ? inFront(kept, place, written) : atEnd(kept, place, written, how.cues !== "none");
  const write = how.unknownSizes === true ? openElement : element;
  return Buffer.concat([bytes.subarray(0, headEnd), write(ids.segment, ...parts)]);
}

const total = (parts: readonly Uint8Array[]) => parts.reduce((sum, part) => sum + part.length, 0);

function inFront(kept: readonly Uint8Array[], place: (at: number) => Uint8Array, clusters: readonly Uint8Array[]) {
  const size = place(0).length;
  return [...kept, place(total(kept) + size), ...clusters];
}

function atEnd(
  kept: readonly Uint8Array[],
  place: (at: number) => Uint8Array,
  clusters: readonly Uint8Array[],
  has: boolean,
) {
  const seekHead = (position: number) =>
    element(
      ids.seekHead,
      element(ids.seek, element(ids.seekId, idBytes(ids.cues)), element(ids.seekPosition, bigEndian(position, 8))),
    );
  const size = has ? seekHead(0).length : 0;
  const position = size + total(kept) + total(clusters);
  return has ? [seekHead(position), ...kept, ...clusters, place(size + total(kept))] : [...kept, ...clusters];
}

function rewriteHeader(header: Element, { stripped }: Rewriting): Uint8Array {
  if (header.id !== ids.tracks || stripped === undefined) return element(header.id, header.content);
  const encodings = element(
    ids.contentEncodings,
    element(
      ids.contentEncoding,
      element(
        ids.contentCompression,
        element(ids.contentCompAlgo, [3]),
        element(ids.contentCompSettings, stripped.bytes),
      ),
    ),
  );
  const entries = [...childrenOf(header)].map((entry) => {
    const isStripped = unsigned(childOf(entry, ids.trackNumber), 0) === stripped.track;
    return element(entry.id, entry.content, isStripped ? encodings : []);
  });
  return element(ids.tracks, ...entries);
}

function rewriteCluster(cluster: Element, how: Rewriting): Uint8Array {
  const time = unsigned(childOf(cluster, ids.timestamp), 0);
  const blocks: Block[] = [];
  for (const child of childrenOf(cluster)) {
    const block = child.id === ids.blockGroup ? childOf(child, ids.block) : child.id === ids.simpleBlock ? child : null;
    if (block !== null) blocks.push(readBlock(block.content, child.id === ids.blockGroup));
  }
  const write = how.unknownSizes === true ? openElement : element;
  return write(
    ids.cluster,
    element(ids.timestamp, bigEndian(time, 4)),
    ...laced(blocks, how).map((run) => writeBlock(run, how)),
  );
}

function readBlock(content: Uint8Array, inGroup: boolean): Block {
  const view = new DataView(content.buffer, content.byteOffset);
  const flags = (content[3] ?? 0) | (inGroup ? 0x80 : 0);
  return { track: (content[0] ?? 0) & 0x7f, time: view.getInt16(1), flags, frame: content.subarray(4) };
}

/** Runs of blocks that go into one: of sound, the track with the highest number, up to 8. */
function laced(blocks: readonly Block[], { lacing }: Rewriting): Block[][] {
  const runs: Block[][] = [];
  let open: Block[] | null = null;
  for (const block of blocks) {
    const isSound = lacing !== undefined && block.track > 1;
    const fits = lacing !== "fixed" || open?.[0]?.frame.length === block.frame.length;
    if (isSound && open !== null && open.length < 8 && fits) open.push(block);
    else {
      const run = [block];
      runs.push(run);
      if (isSound) open = run;
    }
  }
  return runs;
}

function writeBlock(run: readonly Block[], { lacing, stripped, groups }: Rewriting): Uint8Array {
  const [first] = run;
  if (first === undefined) throw new Error("no block");
  const frames = run.map(({ frame, track }) => (stripped?.track === track ? strip(frame, stripped.bytes) : frame));
  const kind = run.length === 1 ? 0 : { xiph: 2, fixed: 4, ebml: 6 }[lacing ?? "xiph"];
  const isKey = (first.flags & 0x80) !== 0;
  const header = [0x80 | first.track, ...bigEndian(first.time & 0xffff, 2), (groups ? 0 : first.flags & 0x80) | kind];
  const sizes = kind === 0 ? [] : [run.length - 1, ...laceSizes(frames, lacing)];
  const block = [header, sizes, ...frames];
  if (groups === undefined) return element(ids.simpleBlock, ...block);
  return element(
    ids.blockGroup,
    element(ids.block, ...block),
    element(ids.blockDuration, bigEndian(groups.duration * run.length, 2)),
    isKey ? [] : element(ids.referenceBlock, [0xd8]),
  );
}

function strip(frame: Uint8Array, prefix: Uint8Array): Uint8Array {
  if (!prefix.every((byte, i) => frame[i] === byte)) throw new Error("a frame does not start with these bytes");
  return frame.subarray(prefix.length);
}

function laceSizes(frames: readonly Uint8Array[], lacing: Rewriting["lacing"]): number[] {
  const sizes = frames.slice(0, -1).map(({ length }) => length);
  if (lacing === "fixed") return [];
  if (lacing === "xiph")
    return sizes.flatMap((size) => [...new Array<number>(Math.floor(size / 255)).fill(255), size % 255]);
  // Two bytes each: the first size, then differences with 8191 for none.
  return sizes.flatMap((size, i) => bigEndian(0x4000 | (i === 0 ? size : size - (sizes[i - 1] ?? 0) + 8191), 2));
}

function rewriteCues(
  cues: Element,
  start: number,
  bytes: Uint8Array,
  positionOf: (clusterOffset: number) => number,
): Uint8Array {
  const points = [...childrenOf(cues)].map((point) => {
    const positions = childOf(point, ids.cueTrackPositions);
    const old = start + unsigned(positions && childOf(positions, ids.cueClusterPosition), 0);
    const contentOffset = old + (readElementHeader(bytes, old)?.length ?? 0);
    return element(
      ids.cuePoint,
      element(ids.cueTime, bigEndian(unsigned(childOf(point, ids.cueTime), 0), 4)),
      element(
        ids.cueTrackPositions,
        element(ids.cueTrack, [unsigned(positions && childOf(positions, ids.cueTrack), 1)]),
        element(ids.cueClusterPosition, bigEndian(positionOf(contentOffset), 8)),
      ),
    );
  });
  return element(ids.cues, ...points);
}
