import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const folder = mkdtempSync(join(tmpdir(), "kinora-start-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("npm start builds what is stale, prints the address, and serves the web app", async () => {
  const child = Bun.spawn(["npm", "start", "--silent"], {
    cwd: root,
    env: {
      ...process.env,
      KINORA_DATA: folder,
      KINORA_LISTEN: "127.0.0.1:0",
      KINORA_RTSP_LISTEN: "127.0.0.1:0",
      KINORA_LOG_LEVEL: "warn",
    },
    stdout: "pipe",
  });
  const decoder = new TextDecoder();
  let output = "";
  let url: string | undefined;
  for await (const chunk of child.stdout) {
    output += decoder.decode(chunk, { stream: true });
    url = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
    if (url) break;
  }
  const page = await fetch(`${url}/`);
  expect([page.status, page.headers.get("Content-Type")]).toEqual([200, "text/html; charset=utf-8"]);
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
}, 60_000);
