import type { Database } from "bun:sqlite";
import { facetsOf } from "../../src/adapters/sql/title-facets.ts";
import { toRow } from "../../src/adapters/sql/title-rows.ts";
import { postingsOf } from "../../src/adapters/sqlite/sqlite-title-search.ts";
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
const TITLES_AT_ONCE = 10_000;
const STATES = 5_000;

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

/** Writes `count` titles into a migrated SQLite database: rows, tags, counts, text index, what two people have watched. */
export function writeTitles(handle: Database, count: number): void {
  const indexes = handle
    .query<{ name: string; sql: string }, []>(
      "select name, sql from sqlite_master where type = 'index' and sql is not null and tbl_name in ('titles', 'title_tags')",
    )
    .all();
  for (const { name } of indexes) handle.run(`drop index ${name}`);
  handle.run("pragma synchronous = off");
  for (const table of ["title_search", "title_grams"])
    handle.run(`insert into ${table}(${table}, rank) values ('hashsize', ${32 * 2 ** 20})`);
  const write = writerOf(handle);
  for (let from = 0; from < count; from += TITLES_AT_ONCE) {
    handle.run("begin");
    for (let n = from; n < Math.min(count, from + TITLES_AT_ONCE); n++) write(n, count);
    handle.run("commit");
  }
  for (const { sql } of indexes) handle.run(sql);
  handle.run("begin");
  countTitles(handle);
  writeStates(handle, count);
  handle.run("commit");
  for (const table of ["title_search", "title_grams"])
    handle.run(`insert into ${table}(${table}, rank) values ('hashsize', ${2 ** 20})`);
  handle.run("pragma wal_checkpoint(truncate)");
}

function writerOf(handle: Database) {
  const random = randomNumbers(42);
  const inserts = {
    title:
      handle.prepare(`insert into titles (seq, id, name, name_folded, name_key, description, owner_id, owner_name, origin,
      visibility, availability, media_id, size_bytes, info, created_at, deleted_at, duration_ms, height, codec)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    tag: handle.prepare("insert into title_tags (title_seq, position, tag, tag_key) values (?, ?, ?, ?)"),
    search: handle.prepare("insert into title_search (rowid, words, extra) values (?, ?, ?)"),
    grams: handle.prepare("insert into title_grams (rowid, grams) values (?, ?)"),
    words: handle.prepare("insert into title_words (seq, words) values (?, ?)"),
  };
  return (n: number, count: number) => {
    const title = titleOf(n, count, random);
    const index = titleIndexOf(title);
    const row = toRow(title, index);
    const seq = Date.parse(title.createdAt) * 2_048;
    const { id, name, name_folded, name_key, description, owner_id, owner_name, origin, visibility } = row;
    const { availability, media_id, size_bytes, info, created_at, duration_ms, height, codec } = row;
    inserts.title.run(
      ...[seq, id, name, name_folded, name_key, description, owner_id, owner_name, origin, visibility, availability],
      ...[media_id, size_bytes, info, created_at, null, duration_ms, height, codec],
    );
    for (const [i, tag] of title.tags.entries()) inserts.tag.run(seq, i, tag, index.tagKeys[i] ?? tag);
    const { words, extra, grams, text } = postingsOf({
      visibility,
      ownerId: owner_id,
      index,
      facets: facetsOf(row, []),
    });
    inserts.search.run(seq, words, extra);
    inserts.grams.run(seq, grams);
    inserts.words.run(seq, text);
  };
}

function titleOf(n: number, count: number, random: ReturnType<typeof randomNumbers>): TitleRecord {
  const { ownerId, visibility } = ownerOf(n, count, random);
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
function ownerOf(n: number, count: number, random: ReturnType<typeof randomNumbers>) {
  const place = random.below(1_000) + (0 * n) / count;
  if (place < 500) return { ownerId: people.half, visibility: "private" as const };
  if (place < 502) return { ownerId: people.hundredth, visibility: "private" as const };
  if (place < 506) return { ownerId: null, visibility: "members" as const };
  if (place < 510) return { ownerId: idOf(10_000_000 + random.below(OTHERS)), visibility: "public" as const };
  return { ownerId: idOf(10_000_000 + random.below(OTHERS)), visibility: "private" as const };
}

function countTitles(handle: Database): void {
  const scope = "case when visibility = 'private' then owner_id else visibility end";
  const counted = (kind: string, value: string, label: string, from: string) => {
    for (const one of ["'*'", scope])
      handle.run(`insert into title_counts (scope, kind, value, label, titles)
        select ${one} as scope, '${kind}', ${value}, min(${label}), count(*) from ${from}
        group by 1, ${value} having scope is not null`);
  };
  counted("title", "''", "''", "titles");
  counted("codec", "codec", "codec", "titles");
  counted("height", "cast(height as text)", "cast(height as text)", "titles");
  counted("tag", "tag_key", "tag", "title_tags join titles on titles.seq = title_tags.title_seq");
}

function writeStates(handle: Database, count: number): void {
  const insert = handle.prepare(`insert into title_states
    (user_id, title_seq, position_seconds, in_progress, watched, favourite, watched_at) values (?, ?, ?, ?, ?, ?, ?)`);
  for (const user of Object.values(people)) {
    for (let i = 0; i < STATES; i++) {
      const seq = (Date.UTC(2020, 0, 1) + Math.floor((i * count) / STATES) * 60_000) * 2_048;
      insert.run(
        user,
        seq,
        i % 3 === 0 ? 10 : null,
        i % 3 === 0 ? 1 : 0,
        i % 3 === 1 ? 1 : 0,
        i % 7 === 0 ? 1 : 0,
        1_790_000_000_000 + i,
      );
    }
  }
}
