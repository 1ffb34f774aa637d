import { expect, test } from "bun:test";
import { fixture } from "../../test/support/fixtures.ts";
import { temporaryFolder } from "../../test/support/folder.ts";
import { locateFirst } from "./file-bytes.ts";
import { MovieCache } from "./movie-cache.ts";

test("an index that is being built is not lost when others fill the cache", async () => {
  using folder = temporaryFolder();
  const cache = new MovieCache(folder.path, 14_000);
  const file = await locateFirst([await fixture("h264-aac.mp4")]);
  const ids = Array.from({ length: 12 }, (_, i) => `source-${i}`);
  const first = await Promise.all(ids.map((id) => cache.get(id, file)));
  const again = await Promise.all([...ids, ...ids].map((id) => cache.get(id, file)));
  for (const presentation of [...first, ...again]) expect(presentation?.tracks.length).toBe(2);
});
