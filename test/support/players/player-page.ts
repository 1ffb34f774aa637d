import { join } from "node:path";
import type { PageReport, PageTask } from "./page.ts";
import type { Complaints, Task } from "./player.ts";

const html = `<!doctype html><meta charset="utf-8"><title>Players</title><script src="/players.js"></script>`;

/** Serves the page with the players, and everything else as Kinora does, from one origin. */
export interface PlayerPage {
  readonly origin: string;
  close(): Promise<void>;
}

export async function servePlayerPage(kinoraUrl: string): Promise<PlayerPage> {
  const built = await Bun.build({ entrypoints: [join(import.meta.dir, "page.ts")], target: "browser", format: "iife" });
  const script = (await built.outputs[0]?.text()) ?? "";
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 60,
    fetch(request) {
      const { pathname, search } = new URL(request.url);
      if (pathname === "/players") return new Response(html, { headers: { "Content-Type": "text/html" } });
      if (pathname === "/players.js") return new Response(script, { headers: { "Content-Type": "text/javascript" } });
      if (!pathname.startsWith("/stream/")) return new Response(null, { status: 204 });
      const headers = new Headers(request.headers);
      headers.delete("host");
      return fetch(new URL(pathname + search, kinoraUrl), { method: request.method, headers, decompress: false });
    },
  });
  return { origin: `http://127.0.0.1:${server.port}`, close: () => server.stop(true) };
}

/** The script that a browser evaluates on the page; it gives a `PageReport` as JSON. */
export const playScript = (task: PageTask) => `playInPage(${JSON.stringify(task)})`;

/** Of a quarter of a second at most the start or end of one track may differ from the others'. */
const toleranceSeconds = 0.25;

/** What is wrong with a report. */
export function judgePage(report: PageReport, { original }: Task): Complaints {
  const complaints = [...report.complaints];
  const { duration, buffered, mostPieces, pictures, ended } = report;
  if (!ended) complaints.push("did not play to the end");
  if (Math.abs(duration - original.durationSeconds) > toleranceSeconds) complaints.push(`says it lasts ${duration} s`);
  if (buffered.length !== 1 || mostPieces > 1) complaints.push(`gaps in what is buffered: ${JSON.stringify(buffered)}`);
  const last = buffered.at(-1)?.[1] ?? 0;
  if (last < duration - 0.1) complaints.push(`buffered to ${last} s of ${duration} s`);
  if (pictures < original.pictures * 0.9) complaints.push(`${pictures} pictures of ${original.pictures}`);
  for (const { to, landed, wentOnTo } of report.seeks) {
    if (Math.abs(landed - to) > 0.1) complaints.push(`a seek to ${to} s led to ${landed} s`);
    if (wentOnTo <= landed) complaints.push(`did not go on after a seek to ${to} s`);
  }
  return complaints;
}
