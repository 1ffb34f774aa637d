import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TitlePage } from "../src/catalog/contract.ts";
import type { KeptFolders, LibraryReport } from "../src/streaming/contract.ts";
import { fixture } from "./support/fixtures.ts";
import { temporaryFolder } from "./support/folder.ts";
import { TestUser } from "./support/kinora.ts";
import { until } from "./support/until.ts";

/** More than one page of what is forgotten at once. */
const FILES = process.env.KINORA_TEST_LONG ? 3_000 : 210;

/** A Kinora of its own process, with what it has logged. */
async function serve(data: string, folder: string) {
  const child = Bun.spawn([process.execPath, "src/kinora.ts", "serve", folder], {
    env: {
      ...process.env,
      KINORA_DATA: data,
      KINORA_LISTEN: "127.0.0.1:0",
      KINORA_RTSP_LISTEN: "127.0.0.1:0",
      KINORA_LIBRARY_SETTLE: "0ms",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { text: "" };
  const hear = async (stream: ReadableStream<Uint8Array>) => {
    for await (const chunk of stream) said.text += new TextDecoder().decode(chunk);
  };
  void hear(child.stdout);
  void hear(child.stderr);
  const url = await until(() => /http:\/\/127\.0\.0\.1:\d+/.exec(said.text)?.[0], 30_000);
  return { child, said, admin: await TestUser.signIn({ url }, "admin") };
}

const json = async <T>(response: Promise<Response>) => (await (await response).json()) as T;

test("a removed folder's titles are forgotten to the last one, also when Kinora is killed meanwhile; the files and all others stay", async () => {
  using data = temporaryFolder();
  using own = temporaryFolder();
  using films = temporaryFolder();
  const bytes = readFileSync(await fixture("h264-aac.mp4"));
  const put = (folder: string, n: number) => {
    const mark = Buffer.from([0, 0, 0, 12, 0x66, 0x72, 0x65, 0x65, n >> 24, n >> 16, n >> 8, n]);
    writeFileSync(join(folder, `clip ${n}.mp4`), Buffer.concat([bytes, mark]));
  };
  mkdirSync(join(films.path, "sub"));
  for (let n = 0; n < FILES; n++) put(join(films.path, "sub"), n);
  put(own.path, FILES);
  let { child, said, admin } = await serve(data.path, own.path);
  const { items } = await json<LibraryReport>(admin.post("/api/library/folders", { path: films.path }));
  const id = items.find(({ folder }) => folder === films.path)?.id ?? "";
  const count = async (query = "") => {
    const { titles } = await json<{ titles: number }>(admin.get(`/api/titles/facets${query}`));
    return titles;
  };
  await until(async () => (await count()) === FILES + 1, 60_000);
  const removed = await admin.send("DELETE", `/api/library/folders/${id}?titles=forget`);
  expect(removed.status).toBe(204);
  await until(() => said.text.includes('"audit":"library-folder-removed"'));
  const line = said.text.split("\n").find((one) => one.includes('"audit":"library-folder-removed"')) ?? "{}";
  expect(JSON.parse(line)).toMatchObject({ titles: "forget", folder: id });
  child.kill("SIGKILL");
  await child.exited;
  ({ child, said, admin } = await serve(data.path, own.path));
  try {
    await until(async () => {
      const kept = (await json<KeptFolders>(admin.get("/api/library/kept"))).items;
      return kept.length === 1 && kept[0]?.folder === own.path;
    }, 60_000);
    expect(await until(async () => (await count()) === 1)).toBe(true);
    const left = (await json<TitlePage>(admin.get("/api/titles"))).items;
    expect(left).toMatchObject([{ name: `clip ${FILES}`, availability: "ready" }]);
    expect(await json(admin.get("/api/folders"))).toMatchObject({ items: [{ titles: 1 }] });
    expect(await json(admin.get("/api/tags"))).toEqual({ items: [] });
    expect(readdirSync(join(films.path, "sub"))).toHaveLength(FILES);
  } finally {
    child.kill("SIGTERM");
    await child.exited;
  }
}, 180_000);
