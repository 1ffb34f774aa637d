import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { fixture } from "./support/fixtures.ts";
import { temporaryFolder } from "./support/folder.ts";
import { TestUser } from "./support/kinora.ts";
import { RestlessFolder } from "./support/restless-folder.ts";
import { until } from "./support/until.ts";

const isLong = process.env.KINORA_TEST_LONG === "1";
const [FILES, KILLS, CHANGES] = isLong ? [5_000, 8, 200] : [250, 2, 20];
const SEED = Number(process.env.KINORA_LIBRARY_SEED ?? 1);
const patienceMs = isLong ? 300_000 : 60_000;

/** A Kinora of its own process. */
async function serve(data: string, folder: string) {
  const child = Bun.spawn([process.execPath, "src/kinora.ts", "serve", folder], {
    env: {
      ...process.env,
      KINORA_DATA: data,
      KINORA_LISTEN: "127.0.0.1:0",
      KINORA_RTSP_LISTEN: "127.0.0.1:0",
      KINORA_LOG_LEVEL: "silent",
      KINORA_LIBRARY_SETTLE: "0ms",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  for await (const chunk of child.stdout) {
    text += new TextDecoder().decode(chunk);
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0];
    if (url) return { child, user: await TestUser.signIn({ url }, "admin") };
  }
  throw new Error(`no address in: ${text}`);
}

interface Title {
  readonly id: string;
  readonly name: string;
  readonly sizeBytes: number;
}

/** All titles that can be watched, by name; names that are there twice in the second. */
async function titlesOf(user: TestUser): Promise<{ titles: Map<string, Title>; twice: string[] }> {
  const titles = new Map<string, Title>();
  const twice: string[] = [];
  for (let cursor = ""; ; ) {
    const query = `limit=200&sort=oldest&availability=ready${cursor && `&cursor=${cursor}`}`;
    const page = (await (await user.get(`/api/titles?${query}`)).json()) as {
      items: Title[];
      nextCursor: string | null;
    };
    for (const title of page.items) {
      if (titles.has(title.name)) twice.push(title.name);
      titles.set(title.name, title);
    }
    if (page.nextCursor === null) return { titles, twice };
    cursor = encodeURIComponent(page.nextCursor);
  }
}

const sizesOf = (titles: Iterable<Title>) => new Map([...titles].map(({ name, sizeBytes }) => [name, sizeBytes]));
const sorted = (sizes: ReadonlyMap<string, number>) => [...sizes].sort(([a], [b]) => (a < b ? -1 : 1));

test("a scan that is killed goes on where it was, while files come, grow, move and vanish: nothing is lost, nothing is there twice, ids stay", async () => {
  using data = temporaryFolder();
  using folder = temporaryFolder();
  const library = new RestlessFolder(folder.path, readFileSync(await fixture("h264-chapters.mp4")), SEED);
  for (let n = 0; n < FILES; n++) library.add();
  let before = new Map<string, Title>();
  for (let kills = 0; kills < KILLS; kills++) {
    const { child, user } = await serve(data.path, folder.path);
    library.change(CHANGES);
    const found = await until(async () => {
      const { titles } = await titlesOf(user);
      const enough = Math.min(before.size + FILES / (2 * KILLS), library.sizes().size - 1);
      return titles.size > enough ? titles : null;
    }, patienceMs);
    before = found;
    library.change(CHANGES);
    child.kill("SIGKILL");
    await child.exited;
    console.log(`killed after ${before.size} of ${library.sizes().size} titles`);
    library.change(CHANGES);
  }
  const { child, user } = await serve(data.path, folder.path);
  try {
    library.change(CHANGES);
    const wanted = sorted(library.sizes());
    const after = await until(
      async () => {
        const found = await titlesOf(user);
        const { items } = (await (await user.get("/api/library")).json()) as { items: { state: string }[] };
        const isSame = Bun.deepEquals(sorted(sizesOf(found.titles.values())), wanted);
        return items[0]?.state === "ready" && isSame ? found : null;
      },
      patienceMs,
      async () => differenceOf(sizesOf((await titlesOf(user)).titles.values()), library.sizes()),
    );
    expect(after.twice).toEqual([]);
    for (const [name, { id }] of before) {
      // Where it is now, whatever it has been called.
      const now = library.nameNow(name);
      if (now !== null) expect([name, now, after.titles.get(now)?.id]).toEqual([name, now, id]);
    }
  } finally {
    child.kill("SIGTERM");
    await child.exited;
  }
}, 900_000);

/** What is there too much, too little, or with another size. */
function differenceOf(found: ReadonlyMap<string, number>, wanted: ReadonlyMap<string, number>): unknown {
  return {
    tooMuch: [...found].filter(([name]) => !wanted.has(name)),
    missing: [...wanted].filter(([name]) => !found.has(name)),
    otherSize: [...found].filter(([name, size]) => wanted.has(name) && wanted.get(name) !== size),
  };
}
