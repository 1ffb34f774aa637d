import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestUser } from "../test/support/kinora.ts";
import { fullHdMinute, twentyMinutes } from "./support/media.ts";
import { median } from "./support/process.ts";
import { against, type Figure, figure, tableOf } from "./support/report.ts";
import { type BenchServer, signIn, startKinoraProcess } from "./support/servers.ts";

const RUNS = 5;

/** What both sides do with one file, in seconds. */
interface Run {
  readonly peer: number;
  readonly tus: number;
  readonly form: number;
}

/**
 * Uploads over loopback, as tus and as a form, against `cp`, `sync` and `sha256sum` of the same file on the same
 * disk: both end with the bytes synced and their SHA-256 known. The source is in the page cache for all.
 */
export async function benchUpload(source?: string): Promise<Figure[]> {
  const video = source ?? (await twentyMinutes());
  const server = await startKinoraProcess();
  const folder = mkdtempSync(join(tmpdir(), "kinora-bench-copy-"));
  try {
    const user = await signIn(server);
    await timed(["cat", video]);
    const runs: Run[] = [];
    for (let run = 0; run <= RUNS; run++) {
      const figures = {
        peer: await copy(video, join(folder, "copy")),
        tus: await resumable(server, user, video),
        form: await form(server, user, video),
      };
      // The first run warms everything up.
      if (run > 0) runs.push(figures);
    }
    return report(runs, statSync(video).size, server);
  } finally {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(runs: readonly Run[], sizeBytes: number, server: BenchServer): Figure[] {
  const rate = (seconds: number) => `${Math.round(sizeBytes / seconds / 1e6)} MB/s`;
  const peer = median(runs.map((run) => run.peer));
  const ratio = (kind: "tus" | "form") => median(runs.map((run) => run.peer / run[kind]));
  return [
    figure("cp, sync, sha256sum", rate(peer)),
    against(`upload as tus (${rate(median(runs.map(({ tus }) => tus)))}) against it`, ratio("tus"), "×", {
      atLeast: 1,
    }),
    against(`upload as a form (${rate(median(runs.map(({ form }) => form)))}) against it`, ratio("form"), "×", {
      atLeast: 1,
    }),
    figure("memory after the uploads", `${Math.round(server.rssBytes() / 2 ** 20)} MiB`),
  ];
}

async function timed(command: string[]): Promise<{ seconds: number; output: string }> {
  const start = performance.now();
  const child = Bun.spawn(command, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  for await (const piece of child.stdout) if (output.length < 10_000) output += Buffer.from(piece).toString();
  const code = await child.exited;
  if (code !== 0) throw new Error(`${command[0]} ended with code ${code}: ${output}`);
  return { seconds: (performance.now() - start) / 1000, output };
}

async function copy(source: string, target: string): Promise<number> {
  const script = 'cp "$1" "$2" && sync "$2" && sha256sum "$2"';
  const { seconds } = await timed(["sh", "-c", script, "sh", source, target]);
  rmSync(target);
  return seconds;
}

const curl = (user: TestUser, ...args: string[]) =>
  timed(["curl", "-sS", "--fail-with-body", "-H", "Expect:", "-H", `Cookie: ${user.cookie}`, ...args]);

async function resumable(server: BenchServer, user: TestUser, source: string): Promise<number> {
  const headers = { "Tus-Resumable": "1.0.0", "Upload-Length": String(statSync(source).size) };
  const start = performance.now();
  const created = await user.fetch("/api/uploads", { method: "POST", headers });
  const creation = (performance.now() - start) / 1000;
  const url = `${server.url}${created.headers.get("Location")}`;
  const patch = ["-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Offset: 0"];
  const type = "Content-Type: application/offset+octet-stream";
  const { seconds } = await curl(user, "-X", "PATCH", ...patch, "-H", type, "-T", source, url);
  return creation + seconds;
}

async function form(server: BenchServer, user: TestUser, source: string): Promise<number> {
  const { seconds } = await curl(user, "-F", `file=@${source}`, `${server.url}/api/titles`);
  return seconds;
}

if (import.meta.main) {
  const short = Bun.argv.includes("--short");
  console.log(tableOf(await benchUpload(short ? await fullHdMinute() : undefined)));
}
