import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

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
