import { sql } from "kysely";
import { listOf } from "./number-list.ts";
import { type Held, heldOf } from "./posting-bits.ts";
import type { Database } from "./tables.ts";
import { type Column, type ColumnPart, codecNumberOf, readColumn } from "./title-columns.ts";
import { TERM_LIMIT, type Term } from "./title-terms.ts";
import { readVersions } from "./title-versions.ts";

/**
 * Bytes of the text index that are kept in memory at most, apart from what a search that runs has in hand. A million titles
 * have 40 MiB of columns, and 120 KiB of bits for each term that is not rare.
 */
const BYTES = 96 * 2 ** 20;
/** What an object of numbers takes beside them, about. */
const OBJECT_BYTES = 100;
/** Rows that one statement reads. */
const ROWS_READ = 2_000;

/** What is known of one term or column, by chunk: null where there is nothing, undefined where nobody has looked. */
interface Entry<Part> {
  readonly parts: (Part | null | undefined)[];
  bytes: number;
}

/**
 * The parts of the text index that were needed last. Every search asks the database first which chunks have changed since, and
 * those are read again: what another process has written is found at once.
 */
export class TitleMemory {
  readonly database: Database;
  readonly #limit: number;
  #versions: ReadonlyMap<number, number> = new Map();
  /** Those used last come last. */
  readonly #entries = new Map<Term | Column, Entry<Held | ColumnPart>>();
  #bytes = 0;
  #codecs: ReadonlyMap<number, string> = new Map();

  constructor(database: Database, limit = BYTES) {
    this.database = database;
    this.#limit = limit;
  }

  /** What there is now. */
  async look(): Promise<TitleView> {
    const versions = await readVersions(this.database);
    for (const [chunk, version] of this.#versions) if (versions.get(chunk) !== version) this.#drop(chunk);
    this.#versions = versions;
    return new TitleView(this, versions);
  }

  /** Names of codecs by what stands for them, those of these at least where titles have them. */
  async codecs(numbers: ReadonlySet<number>): Promise<ReadonlyMap<number, string>> {
    if ([...numbers].every((number) => number === 0 || this.#codecs.has(number))) return this.#codecs;
    const rows = await this.database
      .selectFrom("title_counts")
      .select("value")
      .where("scope", "=", "*")
      .where("kind", "=", "codec")
      .execute();
    this.#codecs = new Map(rows.map(({ value }) => [codecNumberOf(value), value]));
    return this.#codecs;
  }

  /** What is known of a term or column in some chunks, the rest read. */
  async parts<Part extends Held | ColumnPart>(
    keys: readonly (Term | Column)[],
    chunks: readonly number[],
    versions: ReadonlyMap<number, number>,
    read: (missing: readonly (readonly [Term | Column, number])[]) => Promise<(Part | null)[]>,
  ): Promise<Map<Term | Column, (Part | null | undefined)[]>> {
    const found = new Map(keys.map((key) => [key, [...(this.#use(key).parts as (Part | null | undefined)[])]]));
    const missing: [Term | Column, number][] = [];
    for (const [key, parts] of found)
      for (const chunk of chunks) if (parts[chunk] === undefined) missing.push([key, chunk]);
    if (missing.length === 0) return found;
    const parts = await read(missing);
    for (const [i, [key, chunk]] of missing.entries()) {
      const part = parts[i] ?? null;
      (found.get(key) ?? [])[chunk] = part;
      // Another search may have heard of a change meanwhile: then this may be what was there before.
      if (this.#versions.get(chunk) === versions.get(chunk)) this.#keep(key, chunk, part);
    }
    this.#shrink();
    return found;
  }

  #use(key: Term | Column): Entry<Held | ColumnPart> {
    const entry = this.#entries.get(key) ?? { parts: [], bytes: 0 };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  #keep(key: Term | Column, chunk: number, part: Held | ColumnPart | null): void {
    const entry = this.#entries.get(key);
    if (!entry || entry.parts[chunk] !== undefined) return;
    entry.parts[chunk] = part;
    this.#weigh(entry, bytesOf(part));
  }

  #drop(chunk: number): void {
    for (const entry of this.#entries.values()) {
      const part = entry.parts[chunk];
      if (part === undefined) continue;
      entry.parts[chunk] = undefined;
      this.#weigh(entry, -bytesOf(part));
    }
  }

  #weigh(entry: Entry<unknown>, bytes: number): void {
    entry.bytes += bytes;
    this.#bytes += bytes;
  }

  #shrink(): void {
    for (const [key, { bytes }] of this.#entries) {
      if (this.#bytes <= this.#limit) return;
      this.#entries.delete(key);
      this.#bytes -= bytes;
    }
  }
}

const bytesOf = (part: Held | ColumnPart | null) =>
  part === null ? 8 : OBJECT_BYTES + (ArrayBuffer.isView(part) ? part : part.values).byteLength;

/** The text index as one search sees it. */
export class TitleView {
  readonly #memory: TitleMemory;
  readonly #versions: ReadonlyMap<number, number>;
  readonly #terms = new Map<Term | Column, (Held | null | undefined)[]>();
  readonly #columns = new Map<Term | Column, (ColumnPart | null | undefined)[]>();
  /** Chunks of numbers, those in between that no title has included. */
  readonly chunks: number;

  constructor(memory: TitleMemory, versions: ReadonlyMap<number, number>) {
    this.#memory = memory;
    this.#versions = versions;
    this.chunks = Math.max(-1, ...versions.keys()) + 1;
  }

  get database(): Database {
    return this.#memory.database;
  }

  codecs(numbers: ReadonlySet<number>): Promise<ReadonlyMap<number, string>> {
    return this.#memory.codecs(numbers);
  }

  /** Has these terms at hand in some chunks. */
  async loadTerms(terms: readonly Term[], chunks: readonly number[]): Promise<void> {
    const found = await this.#memory.parts([...new Set(terms)], chunks, this.#versions, (missing) =>
      readTerms(this.database, missing as readonly (readonly [Term, number])[]),
    );
    for (const [term, parts] of found) this.#terms.set(term, parts);
  }

  /** Has these columns at hand in some chunks. */
  async loadColumns(columns: readonly Column[], chunks: readonly number[]): Promise<void> {
    const found = await this.#memory.parts(columns, chunks, this.#versions, async (missing) => {
      const read = new Map<Term | Column, Map<number, ColumnPart>>();
      for (const column of columns) {
        const wanted = missing.filter(([key]) => key === column).map(([, chunk]) => chunk);
        read.set(column, await readColumn(this.database, column, wanted));
      }
      return missing.map(([key, chunk]) => read.get(key)?.get(chunk) ?? null);
    });
    for (const [column, parts] of found) this.#columns.set(column, parts);
  }

  /** Which titles of a chunk have a term; null when none has. It must be at hand. */
  term(term: Term, chunk: number): Held | null {
    return this.#terms.get(term)?.[chunk] ?? null;
  }

  /** A column's numbers of a chunk. They must be at hand. */
  column(column: Column, chunk: number): ColumnPart | null {
    return this.#columns.get(column)?.[chunk] ?? null;
  }
}

async function readTerms(database: Database, wanted: readonly (readonly [Term, number])[]): Promise<(Held | null)[]> {
  const kept = await readPostings(
    database,
    wanted.map(([term, chunk]) => postingOf(chunk, term)),
  );
  return wanted.map(([term, chunk]) => kept.get(postingOf(chunk, term)) ?? null);
}

/** The key of a term's row. */
export const postingOf = (chunk: number, term: Term) => chunk * TERM_LIMIT + term;

export const chunkOfPosting = (id: number) => Math.floor(id / TERM_LIMIT);

/** What is kept in these rows of the postings. */
export async function readPostings(
  database: Pick<Database, "getExecutor">,
  ids: readonly number[],
): Promise<Map<number, Held>> {
  const found = new Map<number, Held>();
  for (let from = 0; from < ids.length; from += ROWS_READ) {
    const { rows } = await sql<{ id: number; bits: Uint8Array }>`select id, bits from title_postings
      where id in (${listOf(ids.slice(from, from + ROWS_READ))})`.execute(database);
    for (const { id, bits } of rows) found.set(Number(id), heldOf(bits));
  }
  return found;
}
