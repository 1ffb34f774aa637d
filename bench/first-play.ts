import { linkSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { TestUser } from "../test/support/kinora.ts";
import { untilListed } from "./serving.ts";
import { firstVideoSegment } from "./stalled.ts";
import { fullHdMinute, twoHours, twoHoursMatroska } from "./support/media.ts";
import { median } from "./support/process.ts";
import { against, type Figure } from "./support/report.ts";
import { signIn, startKinoraProcess } from "./support/servers.ts";

const RUNS = 5;
const CHUNK_BYTES = 8 * 2 ** 20;

/** How long people wait: for the first segment of a film never seen before, and after the last byte of an upload. */
export async function benchFirstPlay(): Promise<Figure[]> {
  return [
    await firstEver("MP4", await twoHours()),
    await firstEver("MKV with cues", await twoHoursMatroska()),
    against("upload: last byte sent to first segment served", await lastByteToSegment(), "ms", { atMost: 100 }),
  ];
}

async function firstEver(what: string, path: string): Promise<Figure> {
  const folder = mkdtempSync(join(tmpdir(), "kinora-bench-library-"));
  linkSync(path, join(folder, basename(path)));
  try {
    const times: number[] = [];
    const data = mkdtempSync(join(tmpdir(), "kinora-bench-data-"));
    // The first start scans; each one after it meets the film with no index in memory or on disk.
    for (let run = 0; run <= RUNS; run++) {
      const kinora = await startKinoraProcess([folder], data);
      const user = await signIn(kinora);
      const id = await untilListed(user);
      rmSync(join(data, "index"), { recursive: true, force: true });
      if (run > 0) times.push(await timed(() => firstSegment(user, id)));
      await kinora.close();
    }
    rmSync(data, { recursive: true, force: true });
    const title = `first playlist and segment of a 2 h / 5 GB ${what}, no index kept`;
    return against(title, median(times), "ms", { atMost: 150 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

async function firstSegment(user: TestUser, id: string): Promise<void> {
  const response = await user.get(await firstVideoSegment(user, id));
  if (!response.ok) throw new Error(`segment: ${response.status}`);
  await response.arrayBuffer();
}

/** A tus upload in pieces; the clock starts when the last piece begins to be sent. */
async function lastByteToSegment(): Promise<number> {
  const kinora = await startKinoraProcess();
  try {
    const user = await signIn(kinora);
    const times: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const { path, finish } = await almostUploaded(user, await fullHdMinute());
      const begin = performance.now();
      await finish();
      await firstSegment(user, path.slice(path.lastIndexOf("/") + 1));
      times.push(performance.now() - begin);
      await user.send("DELETE", `/api/titles/${path.slice(path.lastIndexOf("/") + 1)}`);
    }
    return median(times);
  } finally {
    await kinora.close();
  }
}

async function almostUploaded(user: TestUser, original: string) {
  const file = Bun.file(original);
  const tus = { "Tus-Resumable": "1.0.0" };
  const created = await user.fetch("/api/uploads", {
    method: "POST",
    headers: { ...tus, "Upload-Length": String(file.size), "Upload-Metadata": `filename ${btoa("film.mp4")}` },
  });
  const path = created.headers.get("Location") ?? "";
  const patch = async (from: number, to: number) => {
    const response = await user.fetch(path, {
      method: "PATCH",
      headers: { ...tus, "Upload-Offset": String(from), "Content-Type": "application/offset+octet-stream" },
      body: await file.slice(from, to).arrayBuffer(),
    });
    if (response.status !== 204) throw new Error(`${response.status}: ${await response.text()}`);
  };
  const last = file.size - 64 * 1024;
  for (let from = 0; from < last; from += CHUNK_BYTES) await patch(from, Math.min(from + CHUNK_BYTES, last));
  return { path, finish: () => patch(last, file.size) };
}
