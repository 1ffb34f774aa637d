import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fixture } from "../../../test/support/fixtures.ts";
import { temporaryFolder } from "../../../test/support/folder.ts";
import { noMetadata } from "./metadata.ts";
import { readMetadata } from "./read-metadata.ts";

const sourceOf = (bytes: Uint8Array) => ({
  size: bytes.length,
  read: async (offset: number, length: number) => bytes.subarray(offset, offset + length),
});

const description = `;FFMETADATA1
title=A walk
artist=Ann
date=2011-05-01
genre=Documentary
synopsis=About a walk.
description=About a walk.
[CHAPTER]
TIMEBASE=1/1000
START=0
END=1500
title=Opening
[CHAPTER]
TIMEBASE=1/1000
START=1500
END=3000
title=The end
`;

/** The fixture with what it says of itself, as ffmpeg writes it. */
async function tagged(name: string): Promise<Uint8Array> {
  using folder = temporaryFolder();
  const [texts, path] = [join(folder.path, "texts"), join(folder.path, name)];
  writeFileSync(texts, description);
  const input = ["-i", await fixture("h264-aac.mp4"), "-i", texts, "-map_metadata", "1", "-map_chapters", "1"];
  const args = ["ffmpeg", "-v", "error", ...input, "-map", "0:v", "-map", "0:a", "-c", "copy", path];
  expect(await Bun.spawn(args, { stderr: "inherit" }).exited).toBe(0);
  return readFileSync(path);
}

for (const name of ["film.mp4", "film.mkv", "film.mov"]) {
  test(`${name}: title, artist, date, genre, description and chapters are read`, async () => {
    const bytes = await tagged(name);
    const found = await readMetadata(sourceOf(bytes));
    expect(found).toMatchObject({ title: "A walk", date: "2011-05-01", genre: "Documentary" });
    if (name !== "film.mov") expect(found).toMatchObject({ artist: "Ann", description: "About a walk." });
    const chapters = [
      { startSeconds: 0, name: "Opening" },
      { startSeconds: 1.5, name: "The end" },
    ];
    expect(found.chapters).toEqual(name === "film.mov" ? expect.any(Array) : chapters);
  });
}

test("what is damaged, cut off or says nothing gives nothing, and never fails", async () => {
  const bare = readFileSync(await fixture("h264-aac-fragmented.mp4"));
  expect((await readMetadata(sourceOf(bare))).chapters).toEqual([]);
  for (const name of ["film.mp4", "film.mkv"]) {
    const bytes = await tagged(name);
    for (let cut = 0; cut < bytes.length; cut += Math.ceil(bytes.length / 40)) {
      await readMetadata(sourceOf(bytes.subarray(0, cut)));
      const damaged = bytes.slice();
      damaged.fill(0xff, cut, cut + 300);
      await readMetadata(sourceOf(damaged));
    }
  }
  expect(await readMetadata(sourceOf(new TextEncoder().encode("no video")))).toEqual(noMetadata);
});
