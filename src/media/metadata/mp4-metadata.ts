import type { ByteSource } from "../byte-source.ts";
import { Box } from "../mp4/box.ts";
import { scanTopLevel, type TopLevelBox } from "../mp4/top-level.ts";
import { type Chapter, MAX_CHAPTERS, type Metadata, textOf } from "./metadata.ts";

/** `udta` holds a few texts, and perhaps a picture. */
const MAX_UDTA_BYTES = 32 * 2 ** 20;
const MAX_BOXES = 1_000;
const CHAPTER_TICKS = 10_000_000;

/** `moov/udta`: the item list of iTunes (`meta/ilst`), QuickTime's own texts, and Nero's chapters (`chpl`). */
export async function readMp4Metadata(source: ByteSource): Promise<Metadata> {
  const { boxes } = await scanTopLevel(source);
  const moov = boxes.find(({ type }) => type === "moov");
  const udta = moov && (await childOf(source, moov, "udta"));
  const texts = new Map<string, string>();
  let chapters: readonly Chapter[] = [];
  if (udta && udta.size <= MAX_UDTA_BYTES) {
    const content = await source.read(udta.offset + udta.headerBytes, udta.size - udta.headerBytes);
    for (const box of new Box("udta", content, udta.offset + udta.headerBytes).children({ lenient: true })) {
      if (box.type === "meta") readItems(box, texts);
      else if (box.type === "chpl") chapters = readChapters(box);
      else if (box.content[0] !== undefined && box.path.includes("©")) keep(texts, box.type, quickTimeText(box));
    }
  }
  const first = (...types: string[]) => types.map((type) => texts.get(type)).find((text) => text !== undefined) ?? null;
  return {
    title: first("©nam"),
    artist: first("©ART", "aART", "©dir"),
    date: first("©day"),
    genre: first("©gen"),
    description: first("ldes", "desc", "©des", "©cmt"),
    chapters,
  };
}

/** A child of a box that is too large to be read whole, by the headers alone. */
async function childOf(source: ByteSource, parent: TopLevelBox, type: string): Promise<TopLevelBox | null> {
  const end = parent.offset + parent.size;
  let offset = parent.offset + parent.headerBytes;
  for (let count = 0; count < MAX_BOXES && offset + 8 <= end; count++) {
    const header = new Box("moov", await source.read(offset, 8), offset);
    const size = header.u32(0);
    if (size < 8 || offset + size > end) return null;
    if (header.fourCc(4) === type) return { type, offset, headerBytes: 8, size };
    offset += size;
  }
  return null;
}

/** `meta` is a full box in MP4 and a plain one in QuickTime. */
function readItems(meta: Box, texts: Map<string, string>): void {
  const isPlain = meta.size >= 8 && meta.fourCc(4) === "hdlr";
  const list = meta.children({ at: isPlain ? 0 : 4, lenient: true }).find(({ type }) => type === "ilst");
  for (const item of list?.children({ lenient: true }) ?? []) {
    const data = item.children({ lenient: true }).find(({ type }) => type === "data");
    // Type 1 is UTF-8; others are pictures and numbers.
    if (data && data.size > 8 && data.u32(0) === 1) keep(texts, item.type, textOf(data.content.subarray(8)));
  }
}

/** A length, a language, and the text. */
function quickTimeText(box: Box): string | null {
  if (box.size < 4) return null;
  const length = box.u16(0);
  return textOf(box.content.subarray(4, 4 + length));
}

/** Version, flags, a reserved number, and for each chapter its time and a short text. */
function readChapters(box: Box): Chapter[] {
  const chapters: Chapter[] = [];
  const count = box.u8(8);
  let at = 9;
  for (let i = 0; i < count && chapters.length < MAX_CHAPTERS && at + 9 <= box.size; i++) {
    const length = box.u8(at + 8);
    const name = textOf(box.content.subarray(at + 9, at + 9 + length)) ?? "";
    chapters.push({ startSeconds: box.u64(at) / CHAPTER_TICKS, name });
    at += 9 + length;
  }
  return chapters;
}

function keep(texts: Map<string, string>, type: string, text: string | null): void {
  if (text !== null && !texts.has(type)) texts.set(type, text);
}
