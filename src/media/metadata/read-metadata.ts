import type { ByteSource } from "../byte-source.ts";
import { headBytes, sniffContainer } from "../container.ts";
import { readMatroskaMetadata } from "./matroska-metadata.ts";
import { MAX_CHAPTERS, type Metadata, noMetadata } from "./metadata.ts";
import { readMp4Metadata } from "./mp4-metadata.ts";

const MAX_LINE = 300;
const MAX_DESCRIPTION = 4_000;
const MAX_CHAPTER_NAME = 80;

/**
 * Title, artist, date, genre, description and chapters of an MP4, MOV, Matroska or WebM file, as far as they are of
 * reasonable length. Reads only where they stand. What is damaged or not there is left out: nothing depends on it.
 */
export async function readMetadata(source: ByteSource): Promise<Metadata> {
  try {
    const container = sniffContainer(await source.read(0, Math.min(headBytes, source.size)));
    if (container === "mp4") return bounded(await readMp4Metadata(source));
    if (container === "matroska") return bounded(await readMatroskaMetadata(source));
    return noMetadata;
  } catch {
    return noMetadata;
  }
}

function bounded({ title, artist, date, genre, description, chapters }: Metadata): Metadata {
  return {
    title: cut(title, MAX_LINE),
    artist: cut(artist, MAX_LINE),
    date: cut(date, MAX_LINE),
    genre: cut(genre, MAX_LINE),
    description: cut(description, MAX_DESCRIPTION),
    chapters: chapters
      .slice(0, MAX_CHAPTERS)
      .map(({ startSeconds, name }) => ({ startSeconds, name: cut(name, MAX_CHAPTER_NAME) ?? "" })),
  };
}

/** Without control characters but the ends of lines. */
const cut = (text: string | null, length: number) =>
  text === null
    ? null
    : text
        .replace(/(?!\n)\p{Cc}/gu, " ")
        .slice(0, length)
        .toWellFormed();
