import { CHUNK, newChunk, setBit, toKept } from "../../src/adapters/sql/posting-bits.ts";
import { facetsOf } from "../../src/adapters/sql/title-facets.ts";
import { toRow } from "../../src/adapters/sql/title-rows.ts";
import { TERM_LIMIT, termOf, termsOf } from "../../src/adapters/sql/title-terms.ts";
import { titleIndexOf } from "../../src/catalog/title-index.ts";
import type { TitleRecord } from "../../src/catalog/title-repository.ts";

/** People by what they may see of the titles: all of them, half, one in a hundred. */
export const people = {
  half: "01900000-0000-7000-8000-00000000000a",
  hundredth: "01900000-0000-7000-8000-00000000000b",
};
/** In the name of every title that only `half` may see: common, and nothing to see for others. */
export const HIDDEN_WORD = "holiday";
/** On half of all titles. */
export const COMMON_TAG = "Movies";

const OTHERS = 100;
const TAGS = 5_000;
/** Two people have done something with every so manieth title. */
const STATE_EACH = 200;

const words = (
  "the of and in my love night day house river city story last first man woman dark light summer winter road home world " +
  "dead lost king queen blue red black white little big great return secret island mountain ocean train garden letter war " +
  "peace dream shadow fire water stone gold silver bird wolf horse dog cat tiger family friends birthday wedding concert " +
  "interview lecture part episode season chapter cut final trailer making behind scenes berlin madrid paris tokyo london " +
  "amelie solaris metropolis nosferatu casablanca vertigo rashomon persona stalker playtime straße élan niño façade"
).split(" ");
const codecs = ["h264", "h264", "h264", "h264", "h264", "h265", "h265", "vp9", "av1"];
const heights = [240, 360, 480, 576, 720, 720, 1080, 1080, 1080, 1080, 2160];

/** Numbers that look random and are the same each time (xorshift). */
export function randomNumbers(seed: number) {
  let state = seed;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  return {
    below: (limit: number) => Math.floor(next() * limit),
    /** Small numbers are much likelier: like words in a language. */
    common: (limit: number) => Math.floor(limit * next() ** 3),
    chance: (share: number) => next() < share,
  };
}

const idOf = (n: number) => `01900000-0000-7000-8000-${String(n).padStart(12, "0")}`;

/** Rows of one table, in the order of `columns`. */
export interface Rows {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: unknown[][];
}

/** Rows of `count` titles, their tags and their text index, some thousand titles at a time. */
export function* rowsOfTitles(count: number): Generator<Rows[]> {
  const random = randomNumbers(42);
  for (let from = 0; from < count; from = endOf(from, count)) {
    const parts = newParts();
    const postings = new Map<number, Uint32Array>();
    const end = endOf(from, count);
    for (let n = from; n < end; n++) addTitle(parts, postings, titleOf(n, random), n);
    parts.postings.rows.push(...postingRows(postings, Math.floor((from + 1) / CHUNK)));
    yield Object.values(parts);
  }
}

/** Numbers begin with 1: the first chunk has one less. */
const endOf = (from: number, count: number) => Math.min(count, (Math.floor((from + 1) / CHUNK) + 1) * CHUNK - 1);

function newParts() {
  const titles: Rows = {
    table: "titles",
    columns: [
      ...["seq", "id", "name", "name_folded", "name_key", "description", "owner_id", "owner_name", "origin"],
      ...["visibility", "availability", "media_id", "size_bytes", "info", "created_at", "deleted_at"],
      ...["duration_ms", "height", "codec"],
    ],
    rows: [],
  };
  const keys: Rows = { table: "title_keys", columns: ["num", "seq", "name_key", "duration_ms", "height"], rows: [] };
  const tags: Rows = { table: "title_tags", columns: ["title_seq", "position", "tag", "tag_key"], rows: [] };
  const postings: Rows = { table: "title_postings", columns: ["id", "bits"], rows: [] };
  return { titles, keys, tags, postings };
}

function addTitle(
  { titles, keys, tags }: ReturnType<typeof newParts>,
  postings: Map<number, Uint32Array>,
  title: TitleRecord,
  n: number,
): void {
  const index = titleIndexOf({ ...title, fileNames: [] });
  const row = toRow(title, index);
  const seq = seqOf(n);
  const values: Record<string, unknown> = { seq, ...row };
  titles.rows.push(titles.columns.map((column) => values[column]));
  keys.rows.push([n + 1, seq, row.name_key, row.duration_ms, row.height]);
  for (const [i, tag] of title.tags.entries()) tags.rows.push([seq, i, tag, index.tagKeys[i] ?? tag]);
  const state = statesAt(n).flatMap(([user, flags]) => flags.map((flag) => termOf(flag, user)));
  const terms = termsOf({
    visibility: row.visibility,
    ownerId: row.owner_id,
    index,
    facets: facetsOf(row, []),
  });
  for (const term of [...terms, ...state]) {
    const chunk = postings.get(term) ?? newChunk();
    setBit(chunk, (n + 1) % CHUNK, true);
    postings.set(term, chunk);
  }
}

const postingRows = (postings: Map<number, Uint32Array>, chunk: number) =>
  [...postings]
    .sort(([a], [b]) => a - b)
    .map(([term, bits]) => [chunk * TERM_LIMIT + term, toKept(bits) ?? new Uint8Array()]);

const seqOf = (n: number) => (Date.UTC(2020, 0, 1) + n * 60_000) * 2_048;

/** What two people have done with each of some titles. */
function statesAt(n: number): [user: string, flags: ("inProgress" | "watched" | "favourite" | "played")[]][] {
  if (n % STATE_EACH !== 0) return [];
  const i = n / STATE_EACH;
  const flags = [
    "played" as const,
    ...(i % 3 === 0 ? ["inProgress" as const] : []),
    ...(i % 3 === 1 ? ["watched" as const] : []),
    ...(i % 7 === 0 ? ["favourite" as const] : []),
  ];
  return Object.values(people).map((user) => [user, flags]);
}

/** Rows of what people have done with so many titles. */
export function rowsOfStates(count: number): Rows {
  const rows: unknown[][] = [];
  for (let n = 0; n < count; n += STATE_EACH) {
    for (const [user, flags] of statesAt(n)) {
      const has = (flag: (typeof flags)[number]) => (flags.includes(flag) ? 1 : 0);
      const position = has("inProgress") ? 10 : null;
      const flagged = [has("inProgress"), has("watched"), has("favourite")];
      rows.push([user, seqOf(n), position, ...flagged, 1_790_000_000_000 + n]);
    }
  }
  const columns = ["user_id", "title_seq", "position_seconds", "in_progress", "watched", "favourite", "watched_at"];
  return { table: "title_states", columns, rows };
}

function titleOf(n: number, random: ReturnType<typeof randomNumbers>): TitleRecord {
  const { ownerId, visibility } = ownerOf(random);
  const length = 2 + random.below(4);
  const name = Array.from({ length }, () => words[random.common(words.length)] ?? "");
  if (ownerId === people.half && random.chance(0.9)) name.push(HIDDEN_WORD);
  if (random.chance(0.5)) name.push(String(1950 + random.below(77)));
  const tags = [
    ...(random.chance(0.5) ? [COMMON_TAG] : []),
    ...Array.from({ length: random.below(4) }, () => `Tag ${random.common(TAGS)}`),
  ];
  const height = heights[random.below(heights.length)] ?? 720;
  const durationSeconds = random.chance(0.6) ? 30 + random.below(1_200) + 0.04 : 1_200 + random.below(9_000) + 0.4;
  const codec = random.chance(0.001) ? "mpeg2" : (codecs[random.below(codecs.length)] ?? "h264");
  return {
    id: idOf(n),
    mediaId: new Bun.CryptoHasher("sha256").update(String(n)).digest("hex"),
    name: name.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(" "),
    description: random.chance(0.2)
      ? Array.from({ length: 20 }, () => words[random.common(words.length)]).join(" ")
      : "",
    tags: [...new Set(tags)],
    owner: ownerId === null ? null : { id: ownerId, username: `user-${ownerId.slice(-4)}` },
    origin: ownerId === null ? "library" : "upload",
    visibility,
    availability: random.chance(0.01) ? "unavailable" : "ready",
    sizeBytes: 1_000_000 + random.below(5_000_000_000),
    info: {
      durationSeconds,
      sizeBytes: 1_000_000,
      container: "mp4",
      video: { codec, width: Math.round((height * 16) / 9), height, frameRate: 25, rotation: 0 },
      audio: [{ codec: "aac", channels: 2, sampleRate: 48_000, language: "eng" }],
      needsRendition: null,
    },
    createdAt: new Date(Date.UTC(2020, 0, 1) + n * 60_000).toISOString(),
    deletedAt: null,
  };
}

/** Half of all titles are one person's own, one in a hundred can be seen by the other. */
function ownerOf(random: ReturnType<typeof randomNumbers>) {
  const place = random.below(1_000);
  if (place < 500) return { ownerId: people.half, visibility: "private" as const };
  if (place < 502) return { ownerId: people.hundredth, visibility: "private" as const };
  if (place < 506) return { ownerId: null, visibility: "members" as const };
  if (place < 510) return { ownerId: idOf(10_000_000 + random.below(OTHERS)), visibility: "public" as const };
  return { ownerId: idOf(10_000_000 + random.below(OTHERS)), visibility: "private" as const };
}

/** Statements that count what was written. */
export function countingStatements(): string[] {
  const scope = "case when visibility = 'private' then owner_id else visibility end";
  const counted = (kind: string, value: string, label: string, from: string) =>
    ["'*'", scope].map(
      (one) => `insert into title_counts (scope, kind, value, label, titles)
        select s, k, v, min(l), count(*) from (select ${one} as s, '${kind}' as k, ${value} as v, ${label} as l from ${from}) as c
        where s is not null group by s, k, v`,
    );
  return [
    ...counted("title", "''", "''", "titles"),
    ...counted("codec", "codec", "codec", "titles"),
    ...counted("height", "cast(height as char)", "cast(height as char)", "titles"),
    ...counted("tag", "tag_key", "tag", "title_tags join titles on titles.seq = title_tags.title_seq"),
  ];
}
