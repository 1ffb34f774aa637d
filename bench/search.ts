import { sql } from "kysely";
import { SqlTitleRepository } from "../src/adapters/sql/sql-title-repository.ts";
import { Announcements } from "../src/catalog/announcements.ts";
import { type TitleQuery, titleQuery } from "../src/catalog/contract.ts";
import { CachedTitles, noTitleCache } from "../src/catalog/title-cache.ts";
import { titleIndexOf } from "../src/catalog/title-index.ts";
import { Titles } from "../src/catalog/titles.ts";
import { Viewing } from "../src/catalog/viewing.ts";
import { hasMysql } from "../test/support/mysql.ts";
import { type KeptTitles, mariaDbWithTitles, mysqlWithTitles, sqliteWithTitles } from "./support/kept-titles.ts";
import { COMMON_TAG, HIDDEN_WORD, people, randomNumbers } from "./support/many-titles.ts";
import { against, type Figure, figure } from "./support/report.ts";
import { at, searchTables } from "./support/search-tables.ts";

const TITLES = 1_000_000;
/** How many titles are searched, one database after the other. */
const GROWTH = (process.env.KINORA_BENCH_TITLES ?? `10000,100000,${TITLES}`).split(",").map(Number);
/** How often each kind of query is asked, each time with other words. */
const ROUNDS = 40;
/** The same where there are fewer titles: for the curve only. */
const FEWER_ROUNDS = 10;
const BUDGET_MS = 20;
const DEEP_PAGES = 1_000;
const PAGE = 50;
const LARGEST_PAGE = 200;

type Asker = Parameters<Titles["find"]>[1];
const admin = { userId: "01900000-0000-7000-8000-0000000000ff", role: "admin" as const };
const half: Asker = { userId: people.half, role: "editor" };
const hundredth: Asker = { userId: people.hundredth, role: "editor" };
const everybody = { "who sees all": admin, "who sees half": half, "who sees 1 %": hundredth };

/** What is asked, by kind; it is told a number to vary it by. */
const kinds: Readonly<Record<string, (n: number) => Partial<TitleQuery>>> = {
  "no condition": () => ({}),
  "one character": (n) => ({ q: "abcdefghijklmnoprstw"[n % 20] ?? "a" }),
  "one character of the name": (n) => ({ name: "aeioutsrn"[n % 9] ?? "a" }),
  "beginning of a word": (n) => ({ q: ["th", "sum", "mou", "nig", "solar", "fami"][n % 6] ?? "" }),
  "two words": (n) => ({ q: ["the night", "love story", "wolf sea", "my fam 19"][n % 4] ?? "" }),
  "inside of a word": (n) => ({ name: ["igh", "ount", "e of t", "olari", "in my l", "zzz", "asablanc"][n % 7] ?? "" }),
  "tag on half of all": () => ({ tags: [COMMON_TAG] }),
  "rare tag": (n) => ({ tags: [`tag ${3_000 + n}`] }),
  "two tags": (n) => ({ tags: [COMMON_TAG, `tag ${n}`] }),
  "common word, nothing visible": () => ({ q: HIDDEN_WORD }),
  "duration and height": (n) => ({ minDuration: 60 * n, maxDuration: 60 * n + 900, minHeight: 1080 }),
  "rare codec": () => ({ codecs: ["mpeg2"] }),
  unavailable: () => ({ availability: "unavailable" }),
  favourites: () => ({ favourite: true }),
  "begun, with a word": () => ({ inProgress: true, q: "the" }),
  "begun, the last watched first": () => ({ inProgress: true, availability: "ready", sort: "last-watched", limit: 8 }),
  unwatched: () => ({ watched: false, q: "the" }),
  "another's": () => ({ owner: "01900000-0000-7000-8000-000010000007" }),
};
const sorts = ["newest", "oldest", "name", "longest", "last-watched"] as const;

export interface Measured {
  readonly what: string;
  readonly times: readonly number[];
  /** SQL statements that one of them took, on the average; absent where they were not counted. */
  readonly statements?: number;
}

/** What was measured of one database of so many titles. */
export interface Searched {
  readonly database: string;
  readonly count: number;
  /** That a title takes on disk. */
  readonly bytes: number;
  /** The mix comes last. */
  readonly searches: readonly Measured[];
  readonly writes: readonly Measured[];
  /** How long a statement takes that does nothing. */
  readonly floor: Measured;
}

/**
 * Search among many titles on each kind of database, and what writing among them costs; the largest has a budget. Prints tables that
 * `bench/results/` can take as they are.
 */
export async function benchSearch(): Promise<Figure[]> {
  const all: Searched[] = [];
  // MySQL by its name alone: it takes as long as the two others.
  const only = process.env.KINORA_BENCH_DATABASE;
  for (const [name, open] of Object.entries(databases)) {
    if (name !== only && (only !== undefined || name === "MySQL")) continue;
    for (const count of GROWTH) all.push(await benchDatabase(name, count, await open(count)));
  }
  console.log(`${searchTables(all, TITLES)}\n`);
  return all.map(({ database, count, searches }) => {
    const mix = searches.at(-1)?.times ?? [];
    const what = `search, ${database}, ${count.toLocaleString("en")} titles: the mix, p99 (p50 ${at(mix, 0.5).toFixed(1)} ms)`;
    return count === TITLES
      ? against(what, at(mix, 0.99), "ms", { atMost: BUDGET_MS })
      : figure(what, `${at(mix, 0.99).toFixed(1)} ms`);
  });
}

const databases = {
  SQLite: sqliteWithTitles,
  MariaDB: mariaDbWithTitles,
  ...(hasMysql ? { MySQL: mysqlWithTitles } : {}),
};

async function benchDatabase(database: string, count: number, kept: KeptTitles): Promise<Searched> {
  console.error(`search: ${database}, ${count.toLocaleString("en")} titles …`);
  try {
    let statements = 0;
    const counting = kept.database.withPlugin({
      transformQuery: ({ node }) => {
        statements++;
        return node;
      },
      transformResult: async ({ result }) => result,
    });
    const repository = new SqlTitleRepository({ database: counting, indexOf: titleIndexOf });
    await repository.readyIndex();
    const isLargest = count === Math.max(...GROWTH);
    const rounds = isLargest ? ROUNDS : FEWER_ROUNDS;
    const floor = await timed("a statement that does nothing", () => sql`select 1`.execute(kept.database), 200);
    const searches = await measureSearches(repository, rounds, () => statements);
    const writes = isLargest ? await measureWrites(repository, count) : [];
    const there = await kept.database
      .selectFrom("titles")
      .select(({ fn }) => fn.countAll<number>().as("titles"))
      .executeTakeFirstOrThrow();
    return { database, count, bytes: kept.bytes / Number(there.titles), floor, searches, writes };
  } finally {
    await kept.close();
  }
}

function titlesOf(repository: SqlTitleRepository) {
  const publishChange = () => Promise.resolve();
  const cached = new CachedTitles(repository, noTitleCache);
  return new Titles({
    repository,
    cached,
    publishChange,
    now: Date.now,
    restoreWindowMs: 60_000,
    onDeleted: () => undefined,
  });
}

/** The mix comes last. */
async function measureSearches(
  repository: SqlTitleRepository,
  rounds = ROUNDS,
  statementsSoFar = () => 0,
): Promise<Measured[]> {
  const titles = titlesOf(repository);
  const measured: Measured[] = [];
  const measure = async (work: () => Promise<Measured & { readonly asked?: number }>) => {
    const before = statementsSoFar();
    const one = await work();
    measured.push({ ...one, statements: (statementsSoFar() - before) / (one.asked ?? one.times.length) });
  };
  for (const [kind, ask] of Object.entries(kinds)) await measure(() => asked(titles, kind, ask, rounds));
  await measure(() => deepPages(titles));
  const letter = kinds["one character"] ?? (() => ({}));
  await measure(() => timed("facets of a search", (n) => titles.facets(titleQuery.parse(letter(n)), half, 50), rounds));
  await measure(() => timed("facets of all", () => titles.facets(titleQuery.parse({}), hundredth, 50), rounds));
  await measure(() => timed("tags by their beginning", (n) => titles.tags(`tag ${n % 10}`, half, 20), rounds));
  return [...measured, { what: "the whole mix", times: measured.flatMap(({ times }) => times) }];
}

/** One kind of query, by each of the people in turn, in each of the orders. */
async function asked(
  titles: Titles,
  kind: string,
  ask: (n: number) => Partial<TitleQuery>,
  rounds: number,
): Promise<Measured> {
  const times: number[] = [];
  const slowest: [ms: number, what: string][] = [];
  for (let n = 0; n < rounds; n++) {
    for (const [name, who] of Object.entries(everybody)) {
      const sort = sorts[n % sorts.length] ?? "newest";
      const query = titleQuery.parse({ ...ask(n), sort, limit: PAGE });
      await Bun.sleep(1);
      const begin = performance.now();
      await titles.find(query, who);
      const ms = performance.now() - begin;
      times.push(ms);
      slowest.push([ms, `${name}, ${sort}, ${JSON.stringify(ask(n))}`]);
    }
  }
  if (process.env.KINORA_BENCH_VERBOSE) {
    const worst = slowest.toSorted(([a], [b]) => b - a).slice(0, 4);
    console.error(
      kind,
      worst.map(([ms, what]) => `${ms.toFixed(1)} ${what}`),
    );
  }
  return { what: kind, times };
}

/** Follows cursors for a thousand pages in each order and takes the time of the last ones. */
async function deepPages(titles: Titles): Promise<Measured & { readonly asked: number }> {
  const times: number[] = [];
  let pages = 0;
  for (const sort of ["newest", "name", "longest"] as const) {
    for (const ask of [{}, { tags: [COMMON_TAG] }]) {
      let cursor: string | null | undefined;
      for (let passed = 0; passed < DEEP_PAGES * PAGE && cursor !== null; ) {
        // Larger pages on the way there: it is the same place.
        const isMeasured = passed >= (DEEP_PAGES - 7) * PAGE;
        const limit = isMeasured ? PAGE : LARGEST_PAGE;
        const query = titleQuery.parse({ ...ask, sort, limit, ...(cursor === undefined ? {} : { cursor }) });
        await Bun.sleep(1);
        const begin = performance.now();
        cursor = (await titles.find(query, half)).nextCursor;
        if (isMeasured) times.push(performance.now() - begin);
        passed += limit;
        pages++;
      }
    }
  }
  return { what: "page 1,000 by cursor", times, asked: pages };
}

async function measureWrites(repository: SqlTitleRepository, count: number): Promise<Measured[]> {
  const titles = titlesOf(repository);
  const viewing = new Viewing({ repository, cached: new CachedTitles(repository, noTitleCache), now: Date.now });
  const random = randomNumbers(7);
  const anyId = () => `01900000-0000-7000-8000-${String(random.below(count)).padStart(12, "0")}`;
  const who = { ...admin, username: "root", credential: { kind: "session" as const, id: "bench" } };
  const announcements = new Announcements({
    repository,
    publishChange: () => Promise.resolve(),
    publishReleased: () => Promise.resolve(),
    getUsers: async () => [],
  });
  const progress = await timed("progress", (n) => viewing.progress(anyId(), who, { positionSeconds: n + 1 }), 500);
  const tagged = await timed("a tag", (n) => titles.edit(anyId(), who, { addTags: [`Bench ${Date.now()} ${n}`] }), 200);
  const announced = await timed("a title announced", () => announcements.handle(libraryFile()), 200);
  const together = await timed("100 titles announced together, all of them", () =>
    announcements.handleAll(Array.from({ length: 100 }, libraryFile), () => undefined),
  );
  return [progress, tagged, announced, together];
}

let files = 0;
const libraryFile = (): Parameters<Announcements["handle"]>[0] => ({
  sourceId: Bun.randomUUIDv7(),
  mediaId: null,
  name: `The last night of the summer ${++files}`,
  provider: "streaming-1",
  origin: "library",
  ownerId: null,
  visibility: "members",
  availability: "ready",
  info: {
    ...{ durationSeconds: 5_400, sizeBytes: 2_000_000_000, container: "mp4", needsRendition: null },
    video: { codec: "h264", width: 1920, height: 1080, frameRate: 24, rotation: 0 },
    audio: [{ codec: "aac", channels: 2, sampleRate: 48_000, language: null }],
  },
  createdAt: new Date().toISOString(),
  description: "",
  tags: ["Films"],
  folders: [],
});

async function timed(what: string, work: (n: number) => Promise<unknown>, rounds = ROUNDS): Promise<Measured> {
  const times: number[] = [];
  for (let n = 0; n < rounds; n++) {
    await Bun.sleep(1);
    const begin = performance.now();
    await work(n);
    times.push(performance.now() - begin);
  }
  return { what, times };
}
