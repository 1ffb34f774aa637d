import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestKinora, TestUser } from "./support/kinora.ts";
import { until } from "./support/until.ts";

/** A file system of 16 MiB, when this may mount one. */
function mountSmall(): string | null {
  const folder = mkdtempSync(join(tmpdir(), "kinora-small-"));
  const mount = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder], { stderr: "ignore" });
  if (mount.success) return folder;
  rmSync(folder, { recursive: true });
  return null;
}

const small = process.getuid?.() === 0 && Bun.which("mount") ? mountSmall() : null;
afterEach(() => {
  if (!small) return;
  Bun.spawnSync(["umount", "-l", small]);
  rmSync(small, { recursive: true, force: true });
});

/** Leaves not one free page on the disk; the result takes it back. */
function fill(folder: string): () => void {
  const fillers: string[] = [];
  for (const size of [1 << 20, 1 << 12]) {
    try {
      for (;;) {
        const path = join(folder, `filler-${fillers.length}`);
        fillers.push(path);
        writeFileSync(path, new Uint8Array(size));
      }
    } catch {}
  }
  return () => {
    for (const path of fillers) rmSync(path, { force: true });
  };
}

test.skipIf(small === null)(
  "a full disk is told as such, and whoever signs out is signed out (needs root)",
  async () => {
    const folder = small ?? "";
    const kinora = await startTestKinora({ data: join(folder, "data") });
    const user = await TestUser.signIn(kinora, "ada");
    const other = await TestUser.signIn(kinora, "ada");
    const tokens = await Promise.all([1, 2].map(async () => (await (await user.post("/api/tokens")).json()) as Token));
    const [first, second] = tokens;
    if (!first || !second) throw new Error("no tokens");
    const asked = ({ token }: Token) =>
      fetch(`${kinora.url}/api/session`, { headers: { Authorization: `Bearer ${token}` } });
    const copy = new TestUser(kinora);
    copy.cookie = user.cookie;
    expect((await user.get("/readyz")).status).toBe(200);
    const free = fill(folder);

    const made = await user.post("/api/invites", {});
    expect([made.status, (await made.json()).code]).toEqual([507, "disk-full"]);
    const ready = await until(async () => {
      const answer = await user.get("/readyz");
      return answer.status === 503 && answer;
    });
    expect(await ready.json()).toEqual({
      ...{ status: "not-ready", notReady: ["data"] },
      reasons: [{ name: "data", reason: "There is no room to write, or no right to." }],
    });

    expect((await user.send("DELETE", `/api/tokens/${first.id}`)).status).toBe(507);
    expect((await asked(first)).status).toBe(401);
    expect((await user.send("DELETE", "/api/session")).status).toBe(507);
    expect((await copy.get("/api/session")).status).toBe(401);
    expect((await other.get("/api/session")).status).toBe(200);

    free();
    await until(async () => (await other.get("/readyz")).status === 200);
    const sessions = async () => (await (await other.get("/api/auth/list-sessions")).json()) as unknown[];
    await until(async () => (await sessions()).length === 1);
    await kinora.restart();
    expect((await copy.get("/api/session")).status).toBe(401);
    expect((await asked(first)).status).toBe(401);
    await kinora.close();
  },
  30_000,
);

interface Token {
  readonly token: string;
  readonly id: string;
}
