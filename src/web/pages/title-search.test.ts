import { describe, expect, test } from "bun:test";
import type { Title, TitlePage } from "../../catalog/contract.ts";
import { type Ask, findMore, findTitles, type TitleSearch } from "./title-search.ts";

const title = (id: string, ownerId = "me"): Title => ({
  id,
  mediaId: null,
  name: id,
  description: "",
  tags: [],
  owner: { id: ownerId, username: ownerId },
  visibility: "private",
  availability: "ready",
  needsRendition: null,
  durationSeconds: 1,
  sizeBytes: 1,
  container: "mp4",
  video: null,
  audio: [],
  createdAt: "2026-11-22T00:00:00.000Z",
  mine: null,
});

const search = (given: Partial<TitleSearch>): TitleSearch => ({
  owner: null,
  ownerId: "me",
  text: "",
  tags: [],
  sort: "newest",
  ...given,
});

/** A server with ready answers by address; an address it does not know fails the test. */
function server(pages: Record<string, [ids: string, nextCursor: string | null]>, one: Title | null = null) {
  const asked: string[] = [];
  const ask: Ask = {
    async page(path): Promise<TitlePage> {
      asked.push(path);
      const [ids, nextCursor] = pages[path.replace(/[?&]limit=\d+/, "")] ?? ["not expected", null];
      return {
        items: ids
          .split(" ")
          .filter(Boolean)
          .map((id) => title(id)),
        nextCursor,
      };
    },
    async one(path) {
      asked.push(path);
      return one;
    },
  };
  return { ask, asked };
}
const ids = ({ items }: { items: readonly Title[] }) => items.map(({ id }) => id).join(" ");

describe("a search in the lists", () => {
  test("without text asks for one page", async () => {
    const { ask, asked } = server({ "/api/titles?tag=sea&owner=me": ["a b", null] });
    const found = await findTitles(search({ owner: "me", tags: ["sea"] }), 50, ask);
    expect([ids(found), found.next]).toEqual(["a b", null]);
    expect(asked).toHaveLength(1);
  });

  test("adds what has the text inside its name to what has such words, each once", async () => {
    const { ask } = server({ "/api/titles?q=arb": ["a", null], "/api/titles?name=arb": ["b a c", null] });
    expect(ids(await findTitles(search({ text: "arb" }), 50, ask))).toBe("a b c");
  });

  test("comes to the names only after the last page of words", async () => {
    const { ask, asked } = server({
      "/api/titles?q=arb": ["a b", "2"],
      "/api/titles?q=arb&cursor=2": ["c", null],
      "/api/titles?name=arb": ["a b", "3"],
      "/api/titles?name=arb&cursor=3": ["c d", null],
    });
    const first = await findTitles(search({ text: "arb" }), 2, ask);
    expect([ids(first), asked.length]).toEqual(["a b", 1]);
    const all = await findMore(search({ text: "arb" }), first, ask);
    expect([ids(all), all.next]).toEqual(["a b c d", null]);
  });

  test("shows again as many as were shown", async () => {
    const { ask } = server({ "/api/titles": ["a b", "2"], "/api/titles?cursor=2": ["c", "3"] });
    expect(ids(await findTitles(search({}), 3, ask))).toBe("a b c");
  });

  test.each(["  ", "%", "́"])("does not look for %p inside names, which would find everything", async (text) => {
    const { ask, asked } = server({ [`/api/titles?${new URLSearchParams({ q: text })}`]: ["", null] });
    expect(ids(await findTitles(search({ text }), 50, ask))).toBe("");
    expect(asked).toHaveLength(1);
  });

  const uuid = "01890a5d-ac96-774b-bcce-b302099a8057";
  const nothing = (text: string, more = ""): Record<string, [string, null]> => ({
    [`/api/titles?q=${text}${more}`]: ["", null],
    [`/api/titles?name=${text}${more}`]: ["", null],
  });
  test.each([uuid, "ab".repeat(32)])("finds a title by the id %s", async (id) => {
    const { ask, asked } = server(nothing(id), title("a"));
    expect(ids(await findTitles(search({ text: id }), 50, ask))).toBe("a");
    expect(asked[0]).toBe(`/api/titles/${id}`);
  });

  test("shows among my own only my own, also by id", async () => {
    const { ask } = server(nothing(uuid, "&owner=me"), title("a", "somebody"));
    expect(ids(await findTitles(search({ text: uuid, owner: "me" }), 50, ask))).toBe("");
  });
});
