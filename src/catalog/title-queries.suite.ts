import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { person, someInfo, testId, testMediaId } from "../../test/support/catalog.ts";
import { type TitleQuery, titleQuery } from "./contract.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { fold } from "./folding.ts";
import { searchOf } from "./title-index.ts";
import type { TitleRepository, TitleState, TitleWithSources } from "./title-repository.ts";
import { type Who as Asker, audienceOf } from "./title-view.ts";

const ann = person(1);
const ben = person(2);
const admin = person(3, "admin");
const newcomer = person(4, "viewer");

type Who = (Asker & { readonly username: string }) | null;
type Row = Partial<
  Pick<
    TitleWithSources,
    "name" | "description" | "tags" | "owner" | "visibility" | "availability" | "deletedAt" | "info"
  >
>;
/** A video of so many seconds. */
const video = (durationSeconds: number, codec: string, height: number) => ({
  ...someInfo,
  durationSeconds,
  video: { codec, width: 640, height, frameRate: 25, rotation: 0 },
});
const owned = (by: typeof ann) => ({ id: by.userId, username: by.username });

/** The titles that are searched, by number; a higher number is newer. Library titles for members unless it says otherwise. */
const corpus: Readonly<Record<number, Row>> = {
  1: {
    name: "Solaris",
    tags: ["Sci-Fi", "Drama"],
    description: "Tarkovsky's film\nof 1972",
    info: video(6_000.5, "h264", 1_080),
  },
  2: { name: "Amélie", tags: ["Comedy", "Café"], description: "Montmartre" },
  3: { name: "100% Wolf", tags: ["family"], info: video(5_400, "h265", 2_160) },
  4: { name: "100 Wolves", tags: ["Family", "drama"], info: video(60, "av1", 720) },
  5: { name: "snake_case explained" },
  6: { name: "snakeXcase explained" },
  7: { name: "東京物語", tags: ["日本"], description: "小津安二郎" },
  8: { name: "東京タワー" },
  9: { name: "ガラスの城" },
  10: { name: "カラスの城" },
  11: { name: 'The "Best" Of' },
  12: { name: "Rock * Roll -- NEAR OR NOT" },
  13: { name: "🎬 Clapper 🦊" },
  14: { name: "Straße nach Ærø" },
  15: { name: "C++ in 24 hours" },
  16: { name: "C in 24 hours" },
  17: { name: "x", availability: "unavailable" },
  18: { name: "ΣΊΣΥΦΟΣ" },
  19: {
    name: "Ann alone",
    owner: owned(ann),
    visibility: "private",
    tags: ["Drama", "Home"],
    info: video(300, "h264", 1_080),
  },
  20: { name: "Ben alone", owner: owned(ben), visibility: "private", tags: ["drama", "home"] },
  21: { name: "Picnic", owner: owned(ben), visibility: "public", tags: ["DRAMA"], info: video(5_400, "h264", 360) },
  22: { name: "Ünïcödé İstanbul" },
  23: { name: "서울의 봄" },
  24: { name: "हिन्दी फ़िल्म" },
  25: { name: "O'Brien; DROP TABLE titles", description: "back\\slash" },
  26: { name: "Solaris, deleted", deletedAt: 1 },
  27: { name: "solaris" },
};

interface Case {
  readonly ask: Partial<TitleQuery>;
  readonly finds: readonly number[];
  /** Default ann, an editor. */
  readonly who?: Who;
}

/** Every query with the numbers of the titles it must find, in order. What every database has to pass. */
const cases: Readonly<Record<string, readonly Case[]>> = {
  "free text finds words by their beginning, in name, tags and description": [
    { ask: { q: "sol" }, finds: [27, 1] },
    { ask: { q: "solaris" }, finds: [27, 1] },
    { ask: { q: "olaris" }, finds: [] },
    { ask: { q: "1972" }, finds: [1] },
    { ask: { q: "film" }, finds: [1] },
    { ask: { q: "comedy" }, finds: [2] },
    { ask: { q: "montm" }, finds: [2] },
    { ask: { q: "sci-fi" }, finds: [1] },
    { ask: { q: "scifi" }, finds: [] },
  ],
  "all words of free text must occur, in any order and place": [
    { ask: { q: "tark sol" }, finds: [1] },
    { ask: { q: "solaris comedy" }, finds: [] },
    { ask: { q: "  wolf \t 100  " }, finds: [3] },
    { ask: { q: "wol 100" }, finds: [4, 3] },
  ],
  "one and two characters": [
    { ask: { q: "x" }, finds: [17] },
    { ask: { q: "wo" }, finds: [4, 3] },
    { ask: { q: "24" }, finds: [16, 15] },
    { ask: { name: "x" }, finds: [17, 6, 5] },
    { ask: { name: "lf" }, finds: [3] },
    { ask: { name: "ec" }, finds: [] },
    { ask: { name: "o" }, finds: [27, 25, 22, 19, 16, 15, 14, 12, 11, 4, 3, 1] },
  ],
  "a part of the name, anywhere in it": [
    { ask: { name: "olari" }, finds: [27, 1] },
    { ask: { name: "case exp" }, finds: [6, 5] },
    { ask: { name: "explained" }, finds: [6, 5] },
    { ask: { name: "e_c" }, finds: [5] },
    { ask: { name: "montmartre" }, finds: [] },
    { ask: { name: "roll rock" }, finds: [] },
    { ask: { name: "hours hours" }, finds: [] },
    { ask: { name: "  SOLARIS " }, finds: [27, 1] },
  ],
  "the whole name": [
    { ask: { name: "Solaris", exact: true }, finds: [27, 1] },
    { ask: { name: "solari", exact: true }, finds: [] },
    { ask: { name: "amelie", exact: true }, finds: [2] },
    { ask: { name: "100% wolf", exact: true }, finds: [3] },
    { ask: { name: "100_ wolf", exact: true }, finds: [] },
  ],
  "accents, case and letters that people type without": [
    { ask: { q: "amelie" }, finds: [2] },
    { ask: { q: "AMÉLIE" }, finds: [2] },
    { ask: { q: "ame\u0301lie" }, finds: [2] },
    { ask: { q: "cafe" }, finds: [2] },
    { ask: { q: "strasse" }, finds: [14] },
    { ask: { q: "STRASSE aero" }, finds: [14] },
    { ask: { name: "straße" }, finds: [14] },
    { ask: { q: "unicode istanbul" }, finds: [22] },
    { ask: { q: "İSTANBUL" }, finds: [22] },
    { ask: { q: "σίσυφος" }, finds: [18] },
    { ask: { name: "σισυφοσ" }, finds: [18] },
    { ask: { q: "ｓｏｌａｒｉｓ" }, finds: [27, 1] },
  ],
  "scripts without spaces, from one character on": [
    { ask: { q: "東" }, finds: [8, 7] },
    { ask: { q: "東京" }, finds: [8, 7] },
    { ask: { q: "物語" }, finds: [7] },
    { ask: { q: "京物" }, finds: [7] },
    { ask: { q: "京東" }, finds: [] },
    { ask: { q: "日本" }, finds: [7] },
    { ask: { q: "安二郎" }, finds: [7] },
    { ask: { q: "タワー" }, finds: [8] },
    { ask: { q: "ﾀﾜｰ" }, finds: [8] },
    { ask: { name: "京" }, finds: [8, 7] },
    { ask: { name: "京タ" }, finds: [8] },
    { ask: { name: "東京物" }, finds: [7] },
    { ask: { q: "울의" }, finds: [23] },
    { ask: { name: "서울의" }, finds: [23] },
  ],
  "marks that make another word count": [
    { ask: { q: "ガラス" }, finds: [9] },
    { ask: { q: "カラス" }, finds: [10] },
    { ask: { q: "हिन्दी" }, finds: [24] },
    { ask: { q: "हन" }, finds: [] },
  ],
  "percent, underscore, backslash and quotes are characters like others": [
    { ask: { name: "100%" }, finds: [3] },
    { ask: { name: "%" }, finds: [3] },
    { ask: { name: "_" }, finds: [5] },
    { ask: { name: "snake_c" }, finds: [5] },
    { ask: { name: '"' }, finds: [11] },
    { ask: { name: '"best"' }, finds: [11] },
    { ask: { name: "'" }, finds: [25] },
    { ask: { name: "';--" }, finds: [] },
    { ask: { name: "\\" }, finds: [] },
    { ask: { q: "%" }, finds: [3] },
    { ask: { q: "_" }, finds: [5] },
    { ask: { q: '"' }, finds: [11] },
    { ask: { q: '"best' }, finds: [11] },
    { ask: { q: "\\" }, finds: [25] },
    { ask: { q: "o'brien" }, finds: [25] },
    { ask: { q: "'); drop table titles; --" }, finds: [] },
  ],
  "operators of search engines are text": [
    { ask: { q: "*" }, finds: [12] },
    { ask: { q: "sol*" }, finds: [27, 1] },
    { ask: { q: "-" }, finds: [12, 1] },
    { ask: { q: "--" }, finds: [12, 1] },
    { ask: { q: "NEAR" }, finds: [12] },
    { ask: { q: "near(rock roll)" }, finds: [] },
    { ask: { q: "near(or not)" }, finds: [12] },
    { ask: { q: "rock OR solaris" }, finds: [] },
    { ask: { q: "NOT rock" }, finds: [12] },
    { ask: { q: "name:solaris" }, finds: [] },
    { ask: { q: "^solaris" }, finds: [] },
    { ask: { q: "words : x" }, finds: [] },
    { ask: { q: "{}" }, finds: [] },
    { ask: { q: "C++" }, finds: [15] },
    { ask: { q: "c" }, finds: [16, 15, 13, 5, 2] },
  ],
  "emoji, characters for private use and halves of characters": [
    { ask: { q: "🎬" }, finds: [13] },
    { ask: { q: "🦊 clap" }, finds: [13] },
    { ask: { name: "🦊" }, finds: [13] },
    { ask: { name: "🎬 c" }, finds: [13] },
    { ask: { q: "\uE002public" }, finds: [] },
    { ask: { q: "\uD83C" }, finds: [] },
    {
      ask: { q: "\u0000" },
      finds: [27, 25, 24, 23, 22, 21, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
    },
  ],
  "tags, whole, all or any of them": [
    { ask: { tags: ["drama"] }, finds: [21, 19, 4, 1] },
    { ask: { tags: ["Dráma"] }, finds: [21, 19, 4, 1] },
    { ask: { tags: ["dram"] }, finds: [] },
    { ask: { tags: ["drama", "family"] }, finds: [4] },
    { ask: { tags: ["drama", "family"], match: "any" }, finds: [21, 19, 4, 3, 1] },
    { ask: { tags: ["comedy", "nothing"], match: "any" }, finds: [2] },
    { ask: { tags: ["comedy", "nothing"] }, finds: [] },
    { ask: { tags: ["sci-fi"] }, finds: [1] },
    { ask: { tags: ["日本"] }, finds: [7] },
    { ask: { tags: ['"', "%"], match: "any" }, finds: [] },
    { ask: { tags: ["drama"], sort: "oldest" }, finds: [1, 4, 19, 21] },
  ],
  "all conditions together": [
    { ask: { q: "100", name: "wol", tags: ["drama"] }, finds: [4] },
    { ask: { q: "100", name: "wolf" }, finds: [3] },
    { ask: { q: "alone", owner: "me" }, finds: [19] },
    { ask: { name: "solaris", exact: true, tags: ["drama"] }, finds: [1] },
  ],
  "everybody finds what they may see": [
    { ask: { q: "alone" }, finds: [19] },
    { ask: { q: "alone" }, who: ben, finds: [20] },
    { ask: { q: "alone" }, who: admin, finds: [20, 19] },
    { ask: { q: "alone" }, who: newcomer, finds: [] },
    { ask: { q: "alone" }, who: null, finds: [] },
    { ask: { name: "alone" }, who: ben, finds: [20] },
    { ask: { name: "alone" }, who: null, finds: [] },
    { ask: { name: "ann alone", exact: true }, who: ben, finds: [] },
    { ask: { tags: ["drama"] }, who: null, finds: [21] },
    { ask: { tags: ["home"] }, who: admin, finds: [20, 19] },
    { ask: {}, who: null, finds: [21] },
    { ask: { owner: "me" }, finds: [19] },
    { ask: { owner: "me" }, who: ben, finds: [21, 20] },
    { ask: { owner: "me", sort: "name" }, who: ben, finds: [20, 21] },
    { ask: { owner: "me" }, who: admin, finds: [] },
    { ask: { q: "solaris", owner: "me" }, finds: [] },
    { ask: { limit: 3 }, who: admin, finds: [27, 25, 24] },
    { ask: { q: "deleted" }, who: admin, finds: [] },
    { ask: { name: "deleted" }, who: admin, finds: [] },
  ],
  "length, resolution and codec; what is not known is in no range": [
    { ask: { minDuration: 300 }, finds: [21, 19, 3, 1] },
    { ask: { minDuration: 300.5, maxDuration: 5_400 }, finds: [21, 3] },
    { ask: { maxDuration: 60 }, finds: [4] },
    { ask: { minDuration: 0 }, finds: [21, 19, 4, 3, 1] },
    { ask: { minDuration: 6_000.5, maxDuration: 6_000.5 }, finds: [1] },
    { ask: { minDuration: 10, maxDuration: 9 }, finds: [] },
    { ask: { minHeight: 721 }, finds: [19, 3, 1] },
    { ask: { minHeight: 720, maxHeight: 1_080 }, finds: [19, 4, 1] },
    { ask: { maxHeight: 719 }, finds: [21] },
    { ask: { codecs: ["h264"] }, finds: [21, 19, 1] },
    { ask: { codecs: ["h265", "av1"] }, finds: [4, 3] },
    { ask: { codecs: ["h264"], minHeight: 1_080, q: "alone" }, finds: [19] },
    { ask: { codecs: ["h264"], name: "o", sort: "longest" }, finds: [1, 19] },
    { ask: { codecs: ["h264"], minDuration: 5_000, tags: ["drama"], sort: "name" }, finds: [21, 1] },
    { ask: { codecs: ["'"] }, finds: [] },
    { ask: { codecs: ["h264"] }, who: null, finds: [21] },
  ],
  "availability, visibility and owner": [
    { ask: { availability: "unavailable" }, finds: [17] },
    { ask: { availability: "failed" }, finds: [] },
    { ask: { visibility: "private" }, finds: [19] },
    { ask: { visibility: "private" }, who: admin, finds: [20, 19] },
    { ask: { visibility: "private" }, who: null, finds: [] },
    { ask: { visibility: "public", q: "picnic" }, finds: [21] },
    { ask: { visibility: "members", q: "picnic" }, finds: [] },
    { ask: { owner: ben.userId }, finds: [21] },
    { ask: { owner: ben.userId }, who: admin, finds: [21, 20] },
    { ask: { owner: ben.userId, visibility: "private" }, finds: [] },
    { ask: { owner: ben.userId, q: "alone" }, who: admin, finds: [20] },
    { ask: { owner: ben.userId, name: "alone" }, finds: [] },
    { ask: { owner: ben.userId, sort: "name" }, who: null, finds: [21] },
    { ask: { owner: testId(800) }, who: admin, finds: [] },
  ],
  "what the caller has done with them": [
    { ask: { favourite: true }, finds: [19, 4] },
    { ask: { favourite: true, tags: ["family"] }, finds: [4] },
    { ask: { favourite: true, q: "alone", sort: "name" }, finds: [19] },
    { ask: { favourite: true }, who: ben, finds: [] },
    { ask: { inProgress: true }, finds: [3] },
    { ask: { watched: true }, finds: [19] },
    { ask: { watched: true, favourite: true }, finds: [19] },
    { ask: { watched: true, inProgress: true }, finds: [] },
    { ask: { watched: false, q: "alone" }, finds: [] },
    { ask: { watched: false, q: "wol" }, finds: [4, 3] },
    { ask: { watched: false, tags: ["home"] }, who: ben, finds: [20] },
  ],
  orders: [
    { ask: { sort: "longest", limit: 5 }, finds: [1, 21, 3, 19, 4] },
    { ask: { sort: "longest", q: "wol" }, finds: [3, 4] },
    { ask: { sort: "longest", owner: "me" }, finds: [19] },
    { ask: { sort: "last-watched", limit: 4 }, finds: [3, 19, 27, 25] },
    { ask: { sort: "last-watched", q: "wol" }, finds: [3, 4] },
    { ask: { sort: "last-watched", tags: ["drama"] }, finds: [19, 21, 4, 1] },
    { ask: { sort: "last-watched", limit: 2 }, who: ben, finds: [20, 27] },
    { ask: { limit: 5 }, finds: [27, 25, 24, 23, 22] },
    { ask: { limit: 5, sort: "oldest" }, finds: [1, 2, 3, 4, 5] },
    {
      ask: { sort: "name" },
      finds: [4, 3, 2, 19, 16, 15, 25, 21, 12, 5, 6, 1, 27, 14, 11, 22, 17, 18, 24, 10, 9, 8, 7, 23, 13],
    },
    { ask: { q: "100", sort: "name" }, finds: [4, 3] },
    { ask: { name: "solaris", sort: "name" }, finds: [1, 27] },
  ],
};

const untouched: TitleState = {
  positionSeconds: null,
  inProgress: false,
  watched: false,
  favourite: false,
  watchedAt: null,
};
const states: readonly [who: typeof ann, title: number, state: Partial<TitleState>][] = [
  [ann, 3, { positionSeconds: 60, inProgress: true, watchedAt: 2_000 }],
  [ann, 4, { favourite: true }],
  [ann, 19, { watched: true, favourite: true, watchedAt: 1_000 }],
  // Of what somebody may not see any more, nothing is found.
  [ann, 20, { favourite: true, inProgress: true, watched: true, watchedAt: 3_000 }],
  [ben, 20, { watchedAt: 5_000 }],
];

const titleOf = (n: number, row: Row): TitleWithSources => ({
  id: testId(n),
  mediaId: testMediaId(n),
  name: "",
  description: "",
  tags: [],
  owner: null,
  origin: row.owner ? "upload" : "library",
  visibility: "members",
  availability: "ready",
  sizeBytes: 1,
  info: null,
  createdAt: new Date(Date.UTC(2026, 0, 1) + n).toISOString(),
  deletedAt: null,
  sources: [],
  ...row,
});

/** Runs the table of queries against a database. */
export function titleQueriesSuite(
  database: string,
  open: () => Promise<{ repository: TitleRepository; close: () => Promise<void> }>,
): void {
  describe(`title queries on ${database}`, () => {
    let opened: Awaited<ReturnType<typeof open>>;
    beforeAll(async () => {
      opened = await open();
      for (const [n, row] of Object.entries(corpus)) await opened.repository.insert(titleOf(Number(n), row));
      for (const [who, n, state] of states) {
        await opened.repository.editState(who.userId, testId(n), () => ({ ...untouched, ...state }));
      }
    });
    afterAll(() => opened.close());

    const find = async (ask: Partial<TitleQuery>, who: Who = ann) => {
      const query = titleQuery.parse({ limit: 200, ...ask });
      const search = searchOf(query, who?.userId ?? null, decodeCursor(query));
      const { titles, next } = await opened.repository.find(search, audienceOf(who));
      return { numbers: titles.map(({ id }) => Number(id.slice(-12))), cursor: next && encodeCursor(query, next) };
    };
    const findAll = async (ask: Partial<TitleQuery>, who: Who = ann) => {
      const numbers: number[] = [];
      let cursor: string | null = null;
      do {
        const page = await find({ ...ask, ...(cursor === null ? {} : { cursor }) }, who);
        numbers.push(...page.numbers);
        cursor = page.cursor;
      } while (cursor !== null);
      return numbers;
    };

    for (const [behaviour, table] of Object.entries(cases)) {
      test(behaviour, async () => {
        for (const { ask, finds, who = ann } of table) {
          const { numbers } = await find(ask, who);
          expect({ ask, who: who?.username ?? null, numbers }).toEqual({
            ask,
            who: who?.username ?? null,
            numbers: [...finds],
          });
        }
      });
    }

    test("pages of any size together are the whole, in every order", async () => {
      for (const ask of [{}, { q: "s" }, { name: "o" }, { tags: ["drama", "home"], match: "any" as const }]) {
        for (const sort of ["newest", "oldest", "name", "longest", "last-watched"] as const) {
          const whole = (await find({ ...ask, sort })).numbers;
          expect(whole.length).toBeGreaterThan(2);
          for (const limit of [1, 2, whole.length - 1, whole.length]) {
            expect(await findAll({ ...ask, sort, limit })).toEqual(whole);
          }
        }
      }
    });

    test("no text whatever makes a search fail, and what is found by a part of its name holds that part", async () => {
      const characters = [
        ..."ab1 %_\"'*-+^(){}[]:;,.\\/|~é東ガ서🎬\u0000\u0301\uE000\uE002\uFFFF\u200D",
        "NEAR",
        "AND",
        "\uD800",
      ];
      let seed = 7;
      const random = (below: number) => {
        seed = (seed * 48_271) % 2_147_483_647;
        return seed % below;
      };
      for (let round = 0; round < 300; round++) {
        const text = Array.from({ length: 1 + random(8) }, () => characters[random(characters.length)]).join("");
        await find({ q: text });
        await find({ tags: [text], q: "a" });
        for (const n of (await find({ name: text }, admin)).numbers) {
          expect(fold(corpus[n]?.name ?? "")).toContain(fold(text));
        }
      }
    });

    test("a title is found by the names of its files too, where whoever sees it may know them", async () => {
      const named = (n: number, fileName: string, more: Partial<TitleWithSources> = {}): TitleWithSources => {
        const { origin = "library" } = more;
        const derived = { name: "Called otherwise", fileName, description: "", tags: [], folders: [] };
        const source = { sourceId: testId(n), provider: "x", origin, mediaId: null, fingerprint: null };
        return {
          ...titleOf(n, { name: "Called otherwise" }),
          sources: [{ ...source, availability: "ready", derived }],
          ...more,
        };
      };
      const upload = { origin: "upload" as const, owner: owned(ann) };
      const copy = (n: number, visibility: "members" | "private") =>
        named(n, `VHS_${n}`).sources.map(({ derived, ...source }) => ({
          ...source,
          derived: derived && { ...derived, visibility },
        }));
      const titles = [
        named(600, "IMG_20190704.tour.de.France"),
        named(601, "Ferien-Montafon", { ...upload, visibility: "private" }),
        named(602, "x", { sources: copy(6_020, "members") }),
        named(603, "y", { sources: copy(6_030, "private") }),
      ];
      await opened.repository.insertAll(titles);
      const numbersOf = async (q: string, who: Who = ann) => (await find({ q }, who)).numbers;
      for (const q of [
        "img_20190704",
        "tour de france",
        "20190704 called",
        "img_20190704.tour.de.france.mp4",
        "FRANCE.MKV",
      ])
        expect({ q, numbers: await numbersOf(q) }).toEqual({ q, numbers: [600] });
      // Words of the name and of the file are no phrase.
      expect(await numbersOf("otherwise.img")).toEqual([]);
      expect(await numbersOf("mp4")).toEqual([]);
      expect((await find({ name: "France" })).numbers).toEqual([]);
      expect([await numbersOf("vhs_6020.mov"), await numbersOf("vhs_6030")]).toEqual([[602], []]);
      expect([await numbersOf("montafon"), await numbersOf("montafon", ben)]).toEqual([[601], []]);
      // What its owner called the file is not told to others.
      await opened.repository.edit(testId(601), (title) => ({ ...title, visibility: "members" }));
      expect([await numbersOf("montafon"), await numbersOf("montafon", ben)]).toEqual([[], []]);
      await opened.repository.edit(testId(601), (title) => ({ ...title, visibility: "private", name: "Again" }));
      expect(await numbersOf("ferien-montafon")).toEqual([601]);
      await opened.repository.edit(testId(600), (title) => ({ ...title, sources: [] }));
      expect(await numbersOf("france")).toEqual([]);
      for (const { id } of titles) await opened.repository.remove(id, () => true);
      expect(await numbersOf("montafon")).toEqual([]);
    });

    test("titles that come between two pages move nothing", async () => {
      const page = await find({ limit: 2 });
      await opened.repository.insert(titleOf(99, { name: "Newest of all" }));
      const next = await find({ limit: 2, cursor: page.cursor ?? "" });
      await opened.repository.remove(testId(99), () => true);
      expect([...page.numbers, ...next.numbers]).toEqual([27, 25, 24, 23]);
    });

    test("titles made in the same millisecond are paged one after the other", async () => {
      const { createdAt } = titleOf(500, {});
      const many = Array.from({ length: 7 }, (_, i) => 500 + i);
      for (const n of many) await opened.repository.insert({ ...titleOf(n, { name: "Twin" }), createdAt });
      expect(await findAll({ name: "twin", exact: true, limit: 2, sort: "oldest" })).toEqual(many);
      expect(await findAll({ name: "twin", limit: 3, sort: "name" })).toEqual(many);
      expect(await findAll({ q: "twin", limit: 2 })).toEqual(many.toReversed());
      for (const n of many) await opened.repository.remove(testId(n), () => true);
    });
  });
}
