import type { ByteSource } from "../byte-source.ts";
import {
  childrenOf,
  type Element,
  type ElementPlace,
  readElement,
  readPlace,
  string,
  unsigned,
} from "../matroska/ebml.ts";
import { ids } from "../matroska/ids.ts";
import { type Chapter, MAX_CHAPTERS, type Metadata } from "./metadata.ts";

/** Larger ones hold more than texts. */
const MAX_ELEMENT_BYTES = 8 * 2 ** 20;
/** Elements before the first cluster. */
const MAX_ELEMENTS = 64;
/** RFC 9559 sections 5.1.2, 5.1.7 and 5.1.8. */
const own = {
  title: 0x7ba9,
  tag: 0x7373,
  targets: 0x63c0,
  targetTrack: 0x63c5,
  targetChapter: 0x63c4,
  simpleTag: 0x67c8,
  tagName: 0x45a3,
  tagString: 0x4487,
  edition: 0x45b9,
  chapter: 0xb6,
  chapterStart: 0x91,
  chapterDisplay: 0x80,
  chapterString: 0x85,
} as const;
const wanted = new Set<number>([ids.info, ids.tags, ids.chapters]);
const NANOSECONDS = 1e9;

/** `Info`, `Tags` and `Chapters`, from before the first cluster or where the seek head says they are. */
export async function readMatroskaMetadata(source: ByteSource): Promise<Metadata> {
  const parts = await partsOf(source);
  const info = parts.get(ids.info);
  const tags = parts.get(ids.tags);
  const chapters = parts.get(ids.chapters);
  const texts = tags ? textsOf(tags) : new Map<string, string>();
  const first = (...names: string[]) => names.map((name) => texts.get(name)).find((text) => text !== undefined) ?? null;
  return {
    title: (info && textIn(info, own.title)) ?? first("TITLE"),
    artist: first("ARTIST", "DIRECTOR"),
    date: first("DATE_RELEASED", "DATE_RECORDED", "DATE"),
    genre: first("GENRE"),
    description: first("SYNOPSIS", "DESCRIPTION", "SUMMARY", "COMMENT"),
    chapters: chapters ? chaptersOf(chapters) : [],
  };
}

async function partsOf(source: ByteSource): Promise<ReadonlyMap<number, Element>> {
  const parts = new Map<number, Element>();
  const places: ElementPlace[] = [];
  const head = await readPlace(source, 0);
  const segment = head?.size == null ? null : await readPlace(source, head.contentOffset + head.size);
  if (segment?.id !== ids.segment) return parts;
  let offset = segment.contentOffset;
  for (let count = 0; count < MAX_ELEMENTS; count++) {
    const place = await readPlace(source, offset);
    if (place === null || place.size === null || place.id === ids.cluster) break;
    if (place.id === ids.seekHead) places.push(...(await placesOf(source, place, segment.contentOffset)));
    if (wanted.has(place.id)) places.push(place);
    offset = place.contentOffset + place.size;
  }
  for (const place of places) {
    if (parts.has(place.id) || !wanted.has(place.id)) continue;
    parts.set(place.id, await readElement(source, place, MAX_ELEMENT_BYTES, "metadata"));
  }
  return parts;
}

/** Where the seek head says the wanted elements are, if they are there. */
async function placesOf(source: ByteSource, seekHead: ElementPlace, base: number): Promise<ElementPlace[]> {
  const places: ElementPlace[] = [];
  const head = await readElement(source, seekHead, MAX_ELEMENT_BYTES, "SeekHead");
  for (const seek of childrenOf(head)) {
    const children = [...childrenOf(seek)];
    const id = unsigned(children.find((child) => child.id === ids.seekId) ?? null, 0);
    const position = unsigned(children.find((child) => child.id === ids.seekPosition) ?? null, -1);
    if (!wanted.has(id) || position < 0) continue;
    const place = await readPlace(source, base + position);
    if (place?.id === id) places.push(place);
  }
  return places;
}

/** Tags of the whole file, by name in capitals; those of a track or chapter are not about the film. */
function textsOf(tags: Element): Map<string, string> {
  const texts = new Map<string, string>();
  for (const tag of childrenOf(tags)) {
    if (tag.id !== own.tag) continue;
    const children = [...childrenOf(tag)];
    const targets = children.find(({ id }) => id === own.targets);
    const isPart =
      targets && [...childrenOf(targets)].some(({ id }) => id === own.targetTrack || id === own.targetChapter);
    if (isPart) continue;
    for (const simple of children.filter(({ id }) => id === own.simpleTag)) {
      const [name, text] = [textIn(simple, own.tagName)?.toUpperCase(), textIn(simple, own.tagString)];
      if (name && text && !texts.has(name)) texts.set(name, text);
    }
  }
  return texts;
}

function chaptersOf(chapters: Element): Chapter[] {
  const edition = [...childrenOf(chapters)].find(({ id }) => id === own.edition);
  if (!edition) return [];
  return [...childrenOf(edition)]
    .filter(({ id }) => id === own.chapter)
    .slice(0, MAX_CHAPTERS)
    .map((chapter) => {
      const children = [...childrenOf(chapter)];
      const start = unsigned(children.find(({ id }) => id === own.chapterStart) ?? null, 0);
      const display = children.find(({ id }) => id === own.chapterDisplay);
      return { startSeconds: start / NANOSECONDS, name: (display && textIn(display, own.chapterString)) ?? "" };
    });
}

function textIn(parent: Element, id: number): string | null {
  const text = string([...childrenOf(parent)].find((child) => child.id === id) ?? null)?.trim() ?? "";
  return text === "" ? null : text.slice(0, 4_000);
}
