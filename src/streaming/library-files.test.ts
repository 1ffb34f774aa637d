import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../test/support/folder.ts";
import { type LibraryFile, walk } from "./library-files.ts";

async function collect(folder: string): Promise<Record<string, string>> {
  const found: [string, string][] = [];
  for await (const group of walk(folder)) for (const file of group) found.push([file.path, outcome(file)]);
  return Object.fromEntries(found);
}

const outcome = (file: LibraryFile) => ("refused" in file ? file.refused.code : "file");

test("finds files in all sub-folders and passes over what is hidden", async () => {
  using folder = temporaryFolder();
  mkdirSync(join(folder.path, "a/b"), { recursive: true });
  mkdirSync(join(folder.path, ".hidden"));
  writeFileSync(join(folder.path, "one.mp4"), "1");
  writeFileSync(join(folder.path, "a/b/zwei – ü.mp4"), "2");
  writeFileSync(join(folder.path, ".hidden/three.mp4"), "3");
  writeFileSync(join(folder.path, ".four.mp4"), "4");
  expect(await collect(folder.path)).toEqual({ "one.mp4": "file", "a/b/zwei – ü.mp4": "file" });
});

test("follows a link inside the folder and refuses one that leads out or nowhere", async () => {
  using folder = temporaryFolder();
  using elsewhere = temporaryFolder();
  writeFileSync(join(folder.path, "inside.mp4"), "1");
  writeFileSync(join(elsewhere.path, "secret.mp4"), "2");
  symlinkSync(join(folder.path, "inside.mp4"), join(folder.path, "ok.mp4"));
  symlinkSync(join(elsewhere.path, "secret.mp4"), join(folder.path, "out.mp4"));
  symlinkSync(elsewhere.path, join(folder.path, "out-folder"));
  symlinkSync("nowhere", join(folder.path, "broken.mp4"));
  expect(await collect(folder.path)).toEqual({
    "inside.mp4": "file",
    "ok.mp4": "file",
    "out.mp4": "outside",
    "out-folder": "outside",
    "broken.mp4": "unreadable",
  });
});

test("names what is no regular file and goes on", async () => {
  using folder = temporaryFolder();
  await Bun.spawn(["mkfifo", join(folder.path, "pipe.mp4")]).exited;
  writeFileSync(join(folder.path, "one.mp4"), "1");
  expect(await collect(folder.path)).toEqual({ "pipe.mp4": "not-a-file", "one.mp4": "file" });
});

test("a sub-folder that may not be read is named with the reason, and the walk goes on", async () => {
  using folder = temporaryFolder();
  for (const name of ["closed", "open"]) mkdirSync(join(folder.path, name));
  writeFileSync(join(folder.path, "closed/secret.mp4"), "1");
  writeFileSync(join(folder.path, "open/one.mp4"), "2");
  chmodSync(join(folder.path, "closed"), 0);
  // The administrator of the machine may read everything, and looks without that right.
  const asOthers = process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] : [];
  const program = join(import.meta.dir, "../../test/support/walk.ts");
  const child = Bun.spawn([...asOthers, process.execPath, program, folder.path]);
  const found: unknown = await new Response(child.stdout).json();
  expect(found).toEqual([
    {
      path: "closed",
      kind: "folder",
      refused: { code: "unreadable", detail: "Kinora may not read it: check its permissions." },
    },
    expect.objectContaining({ path: "open/one.mp4", sizeBytes: 1 }),
  ]);
});

test("a folder that is not there is an error", async () => {
  expect(collect("/does/not/exist")).rejects.toThrow("It is not there");
});
