import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bareRoot, mayChroot, runInRoot } from "./support/chroot.ts";
import { ensureDebianPackages, has } from "./support/debian.ts";
import { fixture } from "./support/fixtures.ts";
import { TestUser } from "./support/kinora.ts";

await ensureDebianPackages({ ffmpeg: "ffmpeg", "python3-seccomp": "python3-seccomp", "systemd-analyze": "systemd" });

const root = join(import.meta.dir, "..");
const folder = mkdtempSync(join(tmpdir(), "kinora-executable-"));
const empty = join(folder, "empty");
const program = join(folder, "kinora");
let printed = "";

beforeAll(async () => {
  mkdirSync(empty);
  const build = Bun.spawn([process.execPath, join(root, "scripts/build.ts"), program], { stdout: "pipe" });
  printed = await new Response(build.stdout).text();
  expect(await build.exited).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the build prints the executable's size", () => {
  expect(printed).toMatch(/kinora: \d+\.\d MB\n$/);
});

test("the executable alone, in an empty folder and an empty environment, serves the app and its interface", async () => {
  const child = Bun.spawn([program, "serve", "--listen", "127.0.0.1:0"], { cwd: empty, env: {}, stdout: "pipe" });
  try {
    const decoder = new TextDecoder();
    let output = "";
    let url: string | undefined;
    for await (const chunk of child.stdout) {
      output += decoder.decode(chunk);
      url = /Kinora is at\s+(http:\S+)\n/.exec(output)?.[1];
      if (url) break;
    }
    const page = await fetch(`${url}/`);
    expect(page.status).toBe(200);
    const html = await page.text();
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(html)?.[1];
    expect((await fetch(`${url}${script}`)).status).toBe(200);
    const session = await fetch(`${url}/api/session`);
    expect(session.status).toBe(401);
    expect(session.headers.get("Content-Type")).toBe("application/problem+json");
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect((await fetch(`${url}/metrics`)).status).toBe(200);
    expect(readdirSync(empty)).toEqual(["data"]);
  } finally {
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
  }
});

/** What somebody does on their first evening. */
async function firstEvening(url: string): Promise<void> {
  const user = await TestUser.signIn({ url }, "ann");
  const video = await fixture("h264-aac.mp4");
  const { id } = await user.upload(video, { name: "The first" });
  const original = await user.fetch(`/stream/${id}/original`, { headers: { Range: "bytes=10-99" } });
  expect(await original.bytes()).toEqual(await Bun.file(video).slice(10, 100).bytes());
  expect(await (await user.get(`/stream/${id}/hls/master.m3u8`)).text()).toContain("#EXTM3U");
  expect((await user.get("/")).status).toBe(200);
}

const somewhere = { KINORA_LISTEN: "127.0.0.1:0", KINORA_RTSP_LISTEN: "127.0.0.1:0" };
/** A folder that this user may write to. */
function dataOf(user: number): string {
  const data = join(folder, `data-${user}`);
  mkdirSync(data);
  chownSync(data, user, user);
  return data;
}

test.skipIf(!has("ffmpeg") || !mayChroot())(
  "in a root with nothing but its libraries, as nobody and with nothing to write to but its data",
  async () => {
    const root = join(folder, "root");
    await bareRoot(root, program);
    const env = { ...somewhere, KINORA_DATA: "/data" };
    const options = { env, user: "10001:10001", folders: { data: dataOf(10_001) } };
    const kinora = runInRoot(root, ["/usr/local/bin/kinora", "serve"], options);
    try {
      const [, url = ""] = await kinora.printed(/Kinora is at\s+(http:\S+)\n/);
      await firstEvening(url);
    } finally {
      expect([await kinora.stop(), kinora.output()]).toEqual([0, expect.stringContaining("Stopping")]);
    }
  },
  60_000,
);

test.skipIf(!has("ffmpeg", "python3-seccomp", "systemd-analyze") || process.getuid?.() !== 0)(
  "with the system calls that deploy/systemd/kinora.service leaves it, and none else",
  async () => {
    const filter = join(import.meta.dir, "support/system-calls.py");
    const unit = join(root, "deploy/systemd/kinora.service");
    const env = { PATH: process.env.PATH ?? "", ...somewhere, KINORA_DATA: dataOf(10_002) };
    chmodSync(folder, 0o755);
    const command = ["/usr/bin/python3", filter, unit, "10002", program, "serve"];
    const child = Bun.spawn(command, { env, cwd: "/", stdio: ["ignore", "pipe", "inherit"] });
    try {
      let output = "";
      let url: string | undefined;
      for await (const chunk of child.stdout) {
        output += new TextDecoder().decode(chunk);
        url = /Kinora is at\s+(http:\S+)\n/.exec(output)?.[1];
        if (url) break;
      }
      await firstEvening(url ?? output);
    } finally {
      child.kill("SIGTERM");
      expect(await child.exited).toBe(0);
    }
  },
  60_000,
);
