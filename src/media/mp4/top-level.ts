import type { ByteSource } from "../byte-source.ts";
import { MediaError } from "../errors.ts";
import { Box, fourCcAt, printable } from "./box.ts";

/** Boxes at the top of a file: a day of fragments of one second has 172,800. */
const maxTopLevelBoxes = 400_000;
/** `moov` of a day of video with sound takes about 60 MB. */
const maxMovieBytes = 256 * 2 ** 20;
const maxFileTypeBytes = 4096;
const headerBytes = 8;
const largeHeaderBytes = 16;

/** A box at the top of a file, by its place. `size` includes the header. */
export interface TopLevelBox {
  readonly type: string;
  readonly offset: number;
  readonly headerBytes: number;
  readonly size: number;
}

export interface TopLevel {
  readonly boxes: readonly TopLevelBox[];
  /** The last box, when it names bytes past the end of the file. It is not in `boxes`. */
  readonly overrun: TopLevelBox | null;
}

/** Box types a file may start with. Old QuickTime files have no `ftyp`. */
const firstTypes = new Set(["ftyp", "moov", "mdat", "free", "skip", "wide", "pnot", "styp"]);

/** Whether these first bytes of a file are those of an MP4 or MOV. */
export function looksLikeMp4(head: Uint8Array): boolean {
  return head.length >= headerBytes && firstTypes.has(fourCcAt(head, 4));
}

/** Lists the boxes at the top of the file. Junk after the first box ends the list, as players treat it. */
export async function scanTopLevel(source: ByteSource): Promise<TopLevel> {
  const boxes: TopLevelBox[] = [];
  let offset = 0;
  while (offset + headerBytes <= source.size) {
    if (boxes.length >= maxTopLevelBoxes) {
      throw new MediaError("unsupported", "The file has too many boxes", { offset, expected: maxTopLevelBoxes });
    }
    const box = readHeader(await source.read(offset, Math.min(largeHeaderBytes, source.size - offset)), offset, source);
    if (box === null) break;
    if (box.offset + box.size > source.size) return { boxes, overrun: box };
    boxes.push(box);
    offset += box.size;
  }
  return { boxes, overrun: null };
}

function readHeader(bytes: Uint8Array, offset: number, source: ByteSource): TopLevelBox | null {
  const header = new Box("file", bytes, offset);
  const type = header.fourCc(4);
  if (!/^[\x20-\x7e©]{4}$/.test(type)) return null;
  const size = header.u32(0);
  // ISO/IEC 14496-12 section 4.2: 0 means "to the end of the file", 1 that a 64-bit size follows.
  if (size === 0) return { type, offset, headerBytes, size: source.size - offset };
  if (size !== 1) return size < headerBytes ? null : { type, offset, headerBytes, size };
  if (bytes.length < largeHeaderBytes) return null;
  const large = header.u64(headerBytes);
  return large < largeHeaderBytes ? null : { type, offset, headerBytes: largeHeaderBytes, size: large };
}

/** Reads a whole top-level box into memory. */
export async function readBox(source: ByteSource, place: TopLevelBox, maxBytes = maxMovieBytes): Promise<Box> {
  if (place.size > maxBytes) {
    throw new MediaError("unsupported", "A box is too large to be read", {
      box: printable(place.type),
      offset: place.offset,
      expected: `at most ${maxBytes} bytes`,
      got: place.size,
    });
  }
  const bytes = await source.read(place.offset, place.size);
  const content = bytes.subarray(place.headerBytes);
  return new Box(printable(place.type), content, place.offset + place.headerBytes, place.headerBytes);
}

/** The major and compatible brands, empty when there is no `ftyp`. */
export async function readBrands(source: ByteSource, topLevel: TopLevel): Promise<readonly string[]> {
  const place = topLevel.boxes.find((box) => box.type === "ftyp");
  if (place === undefined || place.size > maxFileTypeBytes) return [];
  const box = await readBox(source, place);
  const brands: string[] = [];
  for (let at = 0; at + 4 <= box.size; at += 4) if (at !== 4) brands.push(box.fourCc(at));
  return brands;
}

/** The `moov` of the file; says why there is none. */
export async function readMovieBox(source: ByteSource, topLevel: TopLevel): Promise<Box> {
  const { boxes, overrun } = topLevel;
  const place = boxes.find((box) => box.type === "moov");
  if (overrun !== null && ["mdat", "moov", "moof"].includes(overrun.type)) {
    throw new MediaError("truncated", "The file ends early", {
      box: overrun.type,
      offset: overrun.offset,
      expected: `${overrun.size} bytes`,
      got: source.size - overrun.offset,
    });
  }
  if (place !== undefined) return readBox(source, place);
  if (boxes.some((box) => box.type === "meta")) {
    throw new MediaError("not-a-video", "The file is a picture", { box: "moov", expected: "moov", got: "meta" });
  }
  if (overrun !== null || boxes.some((box) => box.type === "mdat")) {
    throw new MediaError("truncated", "The file ends before its index", {
      box: "moov",
      offset: source.size,
      expected: "moov",
      got: "end of file",
    });
  }
  throw new MediaError("not-a-video", "The file has no index of a video", {
    box: "moov",
    expected: "moov",
    got:
      boxes
        .map((box) => printable(box.type))
        .slice(0, 8)
        .join(" ") || "nothing",
  });
}
