import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDataFolder } from "./data-folder.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kinora-data-"));
});
afterEach(() => rmSync(root, { recursive: true }));

test("the folder is made, for its owner only", () => {
  const folder = openDataFolder(join(root, "a/b"));
  expect(statSync(folder.path).mode & 0o777).toBe(0o700);
  folder.release();
});

test("the lock's files are for their owner only, those of older versions too", () => {
  const data = join(root, "data");
  const locks = () => readdirSync(data).filter((name) => name.startsWith("kinora.lock"));
  for (const round of ["new", "old"]) {
    const folder = openDataFolder(data);
    expect(locks()).toContain("kinora.lock");
    for (const name of locks())
      expect([round, name, statSync(join(data, name)).mode & 0o777]).toEqual([round, name, 0o600]);
    folder.release();
    chmodSync(join(data, "kinora.lock"), 0o644);
  }
});

test("a second Kinora is refused until the first lets go", () => {
  const first = openDataFolder(root);
  expect(() => openDataFolder(root)).toThrow(/Another Kinora is running with the data folder/);
  first.release();
  openDataFolder(root).release();
});

test("a Kinora that was killed leaves no lock behind", async () => {
  const holder = join(root, "holder.ts");
  const module = join(import.meta.dir, "data-folder.ts");
  const data = join(root, "data");
  writeFileSync(
    holder,
    `import { openDataFolder } from ${JSON.stringify(module)};
    openDataFolder(${JSON.stringify(data)}); console.log("held"); setInterval(() => {}, 1000);`,
  );
  const child = Bun.spawn([process.execPath, holder], { stdout: "pipe" });
  for await (const _ of child.stdout) break;
  expect(() => openDataFolder(data)).toThrow(/Another Kinora/);
  child.kill("SIGKILL");
  await child.exited;
  openDataFolder(data).release();
});

test("a folder that cannot be made says why and what to do", () => {
  writeFileSync(join(root, "file"), "");
  expect(() => openDataFolder(join(root, "file/data"))).toThrow(/cannot be written \(ENOTDIR\)/);
});
