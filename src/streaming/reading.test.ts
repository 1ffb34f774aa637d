import { expect, test } from "bun:test";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../test/support/folder.ts";
import { MediaError, type MediaErrorCode } from "../media/errors.ts";
import { locateFirst } from "./file-bytes.ts";
import { reading } from "./reading.ts";

test("damage is 422 while the file is what it was, and 503 once it is another", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "film.mp4");
  writeFileSync(path, "bytes");
  const file = await locateFirst([path]);
  const failure = (error: Error) => reading(file, () => Promise.reject(error)).catch((problem: unknown) => problem);
  const damage = (code: MediaErrorCode) => failure(new MediaError(code, "It is damaged"));
  expect(await damage("truncated")).toMatchObject({ status: 422, code: "truncated" });
  expect(await damage("unsupported")).toMatchObject({ status: 422, code: "not-a-video" });
  const mistake = new TypeError("a mistake of ours");
  expect(await failure(mistake)).toBe(mistake);
  truncateSync(path, 0);
  expect(await damage("empty")).toMatchObject({ status: 503, code: "temporary-unavailable" });
});
