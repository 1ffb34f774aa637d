import type { ByteSource } from "../byte-source.ts";
import { MediaError } from "../errors.ts";
import { turn } from "../turn.ts";
import { type BlockHeader, blockTrack, maxBlockHeaderBytes, readBlockHeader } from "./block.ts";
import { readElementHeader, vintLength } from "./ebml.ts";
import { FrameList } from "./frames.ts";
import { ids } from "./ids.ts";

/** Id and size of an element, and the start of a block that has no lace. */
const headerBytes = 32;
/** Bytes that are read before others have their turn: a few milliseconds. */
const bytesPerTurn = 2 ** 20;
/** Short elements, such as timestamps and durations, whose content is read. */
const maxValueBytes = 8;

/** Children of a segment: one of them ends a cluster of unknown size. */
const topLevel = new Set<number>([
  ...[ids.cluster, ids.seekHead, ids.info, ids.tracks, ids.cues, ids.tags, ids.chapters, ids.attachments],
]);
const clusterMark = Buffer.from([0x1f, 0x43, 0xb6, 0x75]);
/** What a second segment starts with. */
const outside = new Set<number>([ids.ebml, ids.segment]);

/** How the frames of a track lie in its blocks. */
export interface BlockTrack {
  readonly number: number;
  /** Ticks that one frame of a lace takes; 0 when not known. */
  readonly frameTicks: number;
  /** Nanoseconds of a tick. */
  readonly timestampScale: number;
  /** Text: a frame's place is that of the whole group or simple block it is in. */
  readonly isText?: boolean;
}

export interface Stretch {
  readonly from: number;
  /** Clusters that start before are read. */
  readonly to: number;
  /** Where the segment ends. */
  readonly limit: number;
  /** Bytes that are read at once. */
  readonly windowBytes: number;
  /** More frames than this are no video. */
  readonly maxFrames: number;
}

/** The frames of some tracks, by track number. */
export type FramesByTrack = ReadonlyMap<number, FrameList>;

/**
 * Reads the blocks of all clusters in a stretch, which starts with a cluster. The bytes between their headers are
 * skipped where they are many. What is damaged is passed over up to the next cluster. Throws a `MediaError` when the
 * stretch does not start with a cluster, or has too many frames.
 */
export async function readFrames(
  source: ByteSource,
  tracks: readonly BlockTrack[],
  stretch: Stretch,
): Promise<FramesByTrack> {
  const walk = new Walk(source, tracks, stretch);
  await walk.run();
  return walk.frames;
}

interface Group {
  readonly start: number;
  readonly end: number;
  block: GroupedBlock | null;
  duration: number;
  hasReference: boolean;
  discardPadding: number;
}

interface GroupedBlock {
  readonly header: BlockHeader;
  readonly place: Place;
  readonly track: BlockTrack;
}

/** What a step says when the bytes it needs are not there. */
const unread = -1;
/** What it says when they make no sense. */
const damage = -2;

/** Where an element stands: its header, its content, and what follows it. */
interface Place {
  readonly at: number;
  readonly content: number;
  readonly end: number;
}

class Walk {
  readonly frames: Map<number, FrameList>;
  readonly #source: ByteSource;
  #bytesOfTurn = 0;
  readonly #tracks: ReadonlyMap<number, BlockTrack>;
  readonly #stretch: Stretch;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;
  #clusterTime = 0;
  #clusterEnd = 0;
  #group: Group | null = null;
  #count = 0;

  constructor(source: ByteSource, tracks: readonly BlockTrack[], stretch: Stretch) {
    this.#source = source;
    this.#stretch = stretch;
    this.#tracks = new Map(tracks.map((track) => [track.number, track]));
    // Most stretches have no text at all.
    this.frames = new Map(tracks.filter(({ isText }) => !isText).map(({ number }) => [number, new FrameList()]));
  }

  async run(): Promise<void> {
    const { from, limit } = this.#stretch;
    for (let at: number | null = from; at !== null && at < limit; ) {
      let next = this.#tryStep(at);
      if (next === unread) {
        await this.#load(at);
        next = this.#tryStep(at);
      }
      at = next === damage ? await this.#nextCluster(at + 1) : next;
    }
    if (this.#group !== null && this.#group.end <= limit) this.#endGroup(this.#group);
  }

  /** The frames of a cluster from where it is damaged are lost, but not those of the clusters after it. */
  #tryStep(at: number): number | null {
    try {
      return this.#step(at);
    } catch (error) {
      if (!(error instanceof MediaError) || error.code === "unsupported" || at === this.#stretch.from) throw error;
      this.#group = null;
      return damage;
    }
  }

  /** Takes in one element; where the next one starts, or null when the stretch is over. */
  #step(at: number): number | null {
    const { from, to, limit } = this.#stretch;
    if (!this.#holds(at, Math.min(headerBytes, limit - at))) return unread;
    if (this.#group !== null && at >= this.#group.end) this.#endGroup(this.#group);
    const header = readElementHeader(this.#window, at - this.#windowStart);
    if (header === null || (at === from && header.id !== ids.cluster)) {
      this.#fail(at, at === from ? "a cluster" : "an element", header?.id);
    }
    if (outside.has(header.id) || (header.id === ids.cluster && at >= to)) return null;
    const content = at + header.length;
    if (header.id === ids.cluster) {
      this.#clusterEnd = Math.min(limit, content + (header.size ?? limit));
      this.#clusterTime = 0;
      return content;
    }
    const isChild = at < this.#clusterEnd && !topLevel.has(header.id);
    const bound = isChild ? (this.#group?.end ?? this.#clusterEnd) : limit;
    if (header.size === null || content + header.size > bound) {
      this.#fail(at, `at most ${bound - content} bytes`, header.size ?? "unknown");
    }
    const end = content + header.size;
    if (header.id === ids.blockGroup && isChild) {
      this.#group = { start: at, end, block: null, duration: 0, hasReference: false, discardPadding: 0 };
      return content;
    }
    return isChild ? this.#take(header.id, { at, content, end }) : end;
  }

  /** Takes in an element that has no others in it; where the next one starts. */
  #take(id: number, place: Place): number {
    const { content, end } = place;
    const group = this.#group;
    if (id === ids.simpleBlock || (id === ids.block && group !== null)) return this.#takeBlock(place, group);
    if (id === ids.timestamp) this.#clusterTime = this.#value(content, end);
    else if (group === null) return end;
    else if (id === ids.blockDuration) group.duration = this.#value(content, end);
    else if (id === ids.referenceBlock) group.hasReference = true;
    else if (id === ids.discardPadding) group.discardPadding = this.#value(content, end, true);
    return end;
  }

  #endGroup(group: Group): void {
    this.#group = null;
    if (group.block !== null) this.#add(group.block, group);
  }

  #takeBlock(place: Place, group: Group | null): number {
    const { at, content, end } = place;
    const start = content - this.#windowStart;
    const track = this.#tracks.get(blockTrack(this.#window, start));
    if (track === undefined) return end;
    // Nearly all blocks have one frame, and their headers stand in what was read already.
    const isLong = isLaced(this.#window, start) && !this.#holds(content, Math.min(maxBlockHeaderBytes, end - content));
    if (isLong && this.#windowStart !== at) return unread;
    const header = readBlockHeader(this.#window, start, end - content);
    if (header === null) this.#fail(content, "a block header");
    const block = { header, place, track };
    if (group === null) this.#add(block, null);
    else group.block = block;
    return end;
  }

  #add({ header, place, track }: GroupedBlock, group: Group | null): void {
    this.#count += header.sizes.length;
    if (this.#count > this.#stretch.maxFrames) {
      throw new MediaError("unsupported", "There are too many frames", { box: "Segment/Cluster", offset: place.at });
    }
    const list = this.frames.get(track.number) ?? new FrameList();
    this.frames.set(track.number, list);
    const time = this.#clusterTime + header.relativeTime;
    if (track.isText) addText(list, time, place, group);
    else addFrames(list, track, { header, offset: place.content, time, group });
  }

  /** Where something that looks like a cluster starts; null when nothing does. */
  async #nextCluster(from: number): Promise<number | null> {
    const { limit, windowBytes } = this.#stretch;
    for (let at = from; at < limit; ) {
      // What was read is searched before more is: where damage follows damage, each would cost a whole window.
      if (!this.#holds(at, Math.min(clusterMark.length, limit - at))) {
        this.#window = await this.#source.read(at, Math.min(windowBytes, limit - at));
        this.#windowStart = at;
      }
      const { buffer, byteOffset, length } = this.#window;
      const index = Buffer.from(buffer, byteOffset, length).indexOf(clusterMark, at - this.#windowStart);
      if (index >= 0) return this.#windowStart + index;
      at = Math.max(at + 1, this.#windowStart + length - clusterMark.length + 1);
    }
    return null;
  }

  /** A number of up to 8 bytes, which stand in what was read with the element's header; 0 when there are more. */
  #value(content: number, end: number, isSigned = false): number {
    const size = end - content;
    if (size === 0 || size > maxValueBytes) return 0;
    const at = content - this.#windowStart;
    const first = this.#window[at] ?? 0;
    let value = isSigned && first > 127 ? first - 256 : first;
    for (let i = 1; i < size; i++) value = value * 256 + (this.#window[at + i] ?? 0);
    return value;
  }

  #holds(at: number, length: number): boolean {
    return at >= this.#windowStart && at + length <= this.#windowStart + this.#window.length;
  }

  async #load(at: number): Promise<void> {
    const { windowBytes, limit, to } = this.#stretch;
    const wanted = at < to ? Math.min(windowBytes, Math.max(to - at, maxBlockHeaderBytes + headerBytes)) : headerBytes;
    this.#window = await this.#source.read(at, Math.min(wanted, limit - at));
    this.#windowStart = at;
    this.#bytesOfTurn += this.#window.length;
    if (this.#bytesOfTurn < bytesPerTurn) return;
    this.#bytesOfTurn = 0;
    await turn();
  }

  #fail(offset: number, expected: string, got: string | number = "other bytes"): never {
    throw new MediaError("not-a-video", "The video is damaged: a cluster cannot be read", {
      box: "Segment/Cluster",
      offset,
      expected,
      got,
    });
  }
}

interface Block {
  readonly header: BlockHeader;
  readonly offset: number;
  readonly time: number;
  readonly group: Group | null;
}

function addFrames(list: FrameList, track: BlockTrack, { header, offset, time, group }: Block): void {
  const count = header.sizes.length;
  const duration = (group?.duration ?? 0) / count;
  const step = track.frameTicks || duration;
  const padding = (group?.discardPadding ?? 0) / track.timestampScale;
  const isKey = group === null ? header.isKey : !group.hasReference;
  if (padding < 0 && list.count === 0) list.silentTicks = -padding;
  let at = offset + header.length;
  for (const [i, size] of header.sizes.entries()) {
    const cut = i === count - 1 ? Math.max(0, padding) : 0;
    if (size > 0) list.push({ time: time + i * step, offset: at, size, duration, padding: cut, isKey });
    at += size;
  }
}

/** Text is never laced; what is beside its block in a group belongs to it. */
function addText(list: FrameList, time: number, place: Place, group: Group | null): void {
  const { start, end } = group ?? { start: place.at, end: place.end };
  list.push({ time, offset: start, size: end - start, duration: group?.duration ?? 0, padding: 0, isKey: true });
}

/** Whether a block at this place has a lace; its header is in `bytes`. */
function isLaced(bytes: Uint8Array, at: number): boolean {
  return ((bytes[at + vintLength(bytes[at]) + 2] ?? 0) & 6) !== 0;
}
