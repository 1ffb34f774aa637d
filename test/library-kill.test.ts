import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fixture } from "./support/fixtures.ts";
import { temporaryFolder } from "./support/folder.ts";
import { TestUser } from "./support/kinora.ts";
import { until } from "./support/until.ts";

const FILES = 600;

/** A Kinora of its own process; killed when its block ends. */
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

async function titlesOf(user: TestUser): Promise<Map<string, string>> {
  const titles = new Map<string, string>();
  for (let cursor = ""; ; ) {
    const response = await user.get(`/api/titles?limit=200&sort=oldest${cursor && `&cursor=${cursor}`}`);
    const page = (await response.json()) as { items: { id: string; name: string }[]; nextCursor: string | null };
    for (const { id, name } of page.items) titles.set(name, id);
    if (page.nextCursor === null) return titles;
    cursor = encodeURIComponent(page.nextCursor);
  }
}

test("a scan that is killed goes on where it was: nothing is lost, nothing is there twice, ids stay", async () => {
  using data = temporaryFolder();
  using folder = temporaryFolder();
  const bytes = readFileSync(await fixture("h264-aac.mp4"));
  for (let n = 0; n < FILES; n++) {
    const mark = Buffer.from([0, 0, 0, 12, 0x66, 0x72, 0x65, 0x65, n >> 24, n >> 16, n >> 8, n]);
    mkdirSync(join(folder.path, `${n % 7}`), { recursive: true });
    writeFileSync(join(folder.path, `${n % 7}`, `clip ${n}.mp4`), Buffer.concat([bytes, mark]));
  }
  let before = new Map<string, string>();
  for (let kills = 0; kills < 3; kills++) {
    const { child, user } = await serve(data.path, folder.path);
    before = await until(async () => {
      const titles = await titlesOf(user);
      return titles.size > before.size ? titles : null;
    }, 60_000);
    child.kill("SIGKILL");
    await child.exited;
    console.log(`killed after ${before.size} of ${FILES} titles`);
  }
  const { child, user } = await serve(data.path, folder.path);
  try {
    await until(async () => {
      const { items } = (await (await user.get("/api/library")).json()) as {
        items: { state: string; files: number }[];
      };
      return items[0]?.state === "ready" && items[0].files === FILES;
    }, 60_000);
    const after = await until(async () => {
      const titles = await titlesOf(user);
      return titles.size >= FILES ? titles : null;
    }, 60_000);
    expect(after.size).toBe(FILES);
    for (const [name, id] of before) expect([name, after.get(name)]).toEqual([name, id]);
  } finally {
    child.kill("SIGTERM");
    await child.exited;
  }
}, 180_000);
