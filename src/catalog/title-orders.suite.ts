import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { person, someInfo, testId } from "../../test/support/catalog.ts";
import { type TitleQuery, titleQuery } from "./contract.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { fold } from "./folding.ts";
import { searchOf } from "./title-index.ts";
import type { TitleRepository, TitleWithSources } from "./title-repository.ts";
import { audienceOf } from "./title-view.ts";

const ann = person(1);
const ben = person(2);
const admin = person(3, "admin");

/** More than are looked up one by one. */
const TITLES = 1_200;
const words = ["Wolf", "Sea", "night", "The", "Élan", "of", "Straße", "東京", "100%", "summer"];

/** Numbers that look random and are the same each time. */
function randomNumbers(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

type Test = (title: Pick<TitleWithSources, "name" | "info" | "createdAt">) => boolean;

const START = Date.UTC(2026, 0, 1);
const durationOf = ({ info }: Pick<TitleWithSources, "info">) => info?.durationSeconds ?? -1;
const momentOf = ({ createdAt }: Pick<TitleWithSources, "createdAt">) => Date.parse(createdAt) - START;

/** What comes late in an order; it is tagged as that. */
const late: Readonly<Record<string, Test>> = {
  oldest: (title) => momentOf(title) > TITLES * 0.6,
  newest: (title) => momentOf(title) < TITLES * 0.4,
  name: ({ name }) => fold(name) >= "su",
  longest: (title) => durationOf(title) < 150,
};

function corpus(): TitleWithSources[] {
  const random = randomNumbers(11);
  return Array.from({ length: TITLES }, (_, n) => {
    const owner = [null, ann, ben, ben][random(4)] ?? null;
    const name = Array.from({ length: 1 + random(3) }, () => words[random(words.length)]).join(" ");
    const tags = ["Movies", "Home", "rare"].filter((_, i) => random(i === 2 ? 30 : 2) === 0);
    const isKnown = random(10) > 0;
    const followed = {
      name,
      info: isKnown ? { ...someInfo, durationSeconds: random(400) } : null,
      // Neither in the order in which they are made, nor all different.
      createdAt: new Date(START + random(TITLES)).toISOString(),
    };
    const lateIn = Object.entries(late).flatMap(([sort, isLate]) => (isLate(followed) ? [`late ${sort}`] : []));
    return {
      ...followed,
      id: testId(n + 1),
      mediaId: null,
      description: random(4) === 0 ? "a description of it" : "",
      tags: [...tags, ...lateIn],
      owner: owner && { id: owner.userId, username: owner.username },
      origin: owner ? "upload" : "library",
      visibility: owner === null ? "members" : random(3) === 0 ? "public" : "private",
      availability: "ready",
      sizeBytes: 1,
      deletedAt: null,
      sources: [],
    };
  });
}

/** Pages of many titles against the same found by looking at all of them. What every database has to pass. */
export function titleOrdersSuite(
  database: string,
  open: () => Promise<{ repository: TitleRepository; close: () => Promise<void> }>,
): void {
  describe(`orders of many titles on ${database}`, () => {
    let opened: Awaited<ReturnType<typeof open>>;
    const titles = corpus();
    /** What was found newest first, by which the place in time of equal moments is known. */
    const newest = new Map<string, number>();
    const watchedAt = new Map(titles.filter((_, n) => n % 2 === 0).map(({ id }, n) => [id, 1 + ((7 * n) % 500)]));

    beforeAll(async () => {
      opened = await open();
      for (let from = 0; from < TITLES; from += 100) await opened.repository.insertAll(titles.slice(from, from + 100));
      for (const [id, at] of watchedAt)
        await opened.repository.editState(ann.userId, id, () => ({
          ...{ positionSeconds: null, inProgress: false, favourite: false },
          ...{ watched: at % 2 === 0, watchedAt: at },
        }));
      const ids = await findAll({}, admin);
      for (const [i, id] of ids.entries()) newest.set(id, ids.length - i);
    });
    afterAll(() => opened.close());

    async function findAll(ask: Partial<TitleQuery>, who: typeof ann, pages = TITLES): Promise<string[]> {
      const found: string[] = [];
      let cursor: string | null = null;
      let page = 0;
      do {
        const query: TitleQuery = titleQuery.parse({ limit: 170, ...ask, ...(cursor === null ? {} : { cursor }) });
        const search = searchOf(query, who.userId, decodeCursor(query));
        const { titles: some, next } = await opened.repository.find(search, audienceOf(who));
        found.push(...some.map(({ id }) => id));
        cursor = next && encodeCursor(query, next);
      } while (cursor !== null && ++page < pages);
      return found;
    }

    const asks: Readonly<
      Record<string, { readonly ask: Partial<TitleQuery>; readonly fits: (title: TitleWithSources) => boolean }>
    > = {
      everything: { ask: {}, fits: () => true },
      "a tag of half": { ask: { tags: ["movies"] }, fits: ({ tags }) => tags.includes("Movies") },
      "a part of the name": { ask: { name: "e" }, fits: ({ name }) => fold(name).includes("e") },
      "a longer part of the name": { ask: { name: "f the" }, fits: ({ name }) => fold(name).includes("f the") },
      "a word or its beginning": {
        ask: { q: "s" },
        fits: ({ name }) =>
          fold(name)
            .split(" ")
            .some((word) => word.startsWith("s")),
      },
      "characters side by side": { ask: { q: "東京" }, fits: ({ name }) => name.includes("東京") },
      "a range of durations": {
        ask: { minDuration: 10.5, maxDuration: 350 },
        fits: (title) => durationOf(title) >= 10.5 && durationOf(title) <= 350,
      },
      "not watched": { ask: { watched: false }, fits: ({ id }) => (watchedAt.get(id) ?? 1) % 2 === 1 },
    };
    const visible =
      (who: typeof ann) =>
      ({ visibility, owner }: TitleWithSources) =>
        who === admin || visibility !== "private" || owner?.id === who.userId;

    test("titles of equal moments have places of their own", () => {
      expect(newest.size).toBe(TITLES);
      const inTime = titles.toSorted((a, b) => (newest.get(a.id) ?? 0) - (newest.get(b.id) ?? 0));
      const moments = inTime.map(({ createdAt }) => createdAt);
      expect(moments).toEqual(moments.toSorted());
    });

    const place = ({ id }: TitleWithSources) => newest.get(id) ?? 0;
    const orders: Readonly<Record<TitleQuery["sort"] & string, (a: TitleWithSources, b: TitleWithSources) => number>> =
      {
        newest: (a, b) => place(b) - place(a),
        oldest: (a, b) => place(a) - place(b),
        name: (a, b) => Buffer.compare(Buffer.from(fold(a.name)), Buffer.from(fold(b.name))) || place(a) - place(b),
        longest: (a, b) => Math.round(1_000 * (durationOf(b) - durationOf(a))) || place(b) - place(a),
        "last-watched": (a, b) => (watchedAt.get(b.id) ?? 0) - (watchedAt.get(a.id) ?? 0) || place(b) - place(a),
        position: () => 0,
      };

    test("the first pages of what comes late in an order", async () => {
      for (const [sort, isLate] of Object.entries(late)) {
        const order = orders[sort as keyof typeof orders];
        const wanted = titles.filter(isLate).sort(order);
        expect(wanted.length).toBeGreaterThan(420);
        const ask = { tags: [`late ${sort}`], sort: sort as TitleQuery["sort"], limit: 2 };
        const first = await findAll(ask, admin, 5);
        expect({ sort, first }).toEqual({ sort, first: wanted.slice(0, 10).map(({ id }) => id) });
      }
    });

    for (const [what, { ask, fits }] of Object.entries(asks)) {
      test(`all pages of ${what}, in every order, for who sees all and who sees a part`, async () => {
        for (const sort of ["newest", "oldest", "name", "longest", "last-watched"] as const) {
          const who = sort === "longest" || sort === "newest" ? admin : ann;
          const isWatched = what === "not watched" || sort === "last-watched";
          const asker = isWatched ? ann : who;
          const wanted = titles
            .filter((title) => visible(asker)(title) && fits(title))
            .sort(orders[sort])
            .map(({ id }) => id);
          expect({ sort, found: await findAll({ ...ask, sort }, asker) }).toEqual({ sort, found: wanted });
        }
      });
    }
  });
}
