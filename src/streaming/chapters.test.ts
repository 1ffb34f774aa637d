import { afterEach, beforeEach, expect, test } from "bun:test";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fixture } from "../../test/support/fixtures.ts";
import { Stage } from "../../test/support/streaming-stage.ts";
import { until } from "../../test/support/until.ts";

let stage: Stage;
beforeEach(async () => {
  stage = await new Stage().start();
});
afterEach(() => stage.close());

async function inLibrary(path: string): Promise<string> {
  mkdirSync(join(stage.library, "films"), { recursive: true });
  copyFileSync(await fixture("h264-chapters.mp4"), join(stage.library, path));
  await (await stage.report()).rescan();
  const id = await until(() => stage.announced.find(({ origin }) => origin === "library")?.sourceId ?? null);
  stage.titles.set(id, { id, ownerId: null, visibility: "members", mediaId: null, name: "Film" });
  return id;
}

const both = {
  items: [
    { startSeconds: 0, endSeconds: 2, name: "One" },
    { startSeconds: 2, endSeconds: 4, name: "Two" },
  ],
};

test("the chapters of an upload and of a library file are sent, each until the next begins", async () => {
  const { id, adopt } = await stage.upload("h264-chapters.mp4");
  await adopt();
  for (const titleId of [id, await inLibrary("films/film.mp4")]) {
    const answer = await stage.ask(`/stream/${titleId}/chapters`);
    expect([answer.status, answer.headers.get("Content-Type")]).toEqual([200, "application/json"]);
    expect(await answer.json()).toEqual(both);
    const etag = answer.headers.get("ETag") ?? "";
    const again = await stage.ask(`/stream/${titleId}/chapters`, { headers: { "If-None-Match": etag } });
    expect(again.status).toBe(304);
  }
});

test("a video without chapters has an empty list, and nobody who may not see it learns of them", async () => {
  const { id, adopt } = await stage.upload("h264-aac.mp4");
  await adopt();
  expect(await (await stage.ask(`/stream/${id}/chapters`)).json()).toEqual({ items: [] });
  expect((await stage.ask(`/stream/${id}/chapters`, { as: null })).status).toBe(401);
  expect((await stage.ask(`/stream/${id}/chapters`, { as: Bun.randomUUIDv7() })).status).toBe(404);
});

test("where a title's file lies is told to admins alone", async () => {
  const id = await inLibrary("films/film.mp4");
  const place = `/api/library/titles/${id}`;
  expect(await (await stage.askAdmin("GET", place)).json()).toEqual({
    origin: "library",
    folder: stage.library,
    path: "films/film.mp4",
  });
  expect((await stage.ask(place)).status).toBe(403);
  expect((await stage.ask(place, { as: null })).status).toBe(401);
  const { id: uploadId, adopt } = await stage.upload("h264-only.mp4");
  await adopt();
  expect(await (await stage.askAdmin("GET", `/api/library/titles/${uploadId}`)).json()).toEqual({
    origin: "upload",
    folder: null,
    path: null,
  });
  expect((await stage.askAdmin("GET", `/api/library/titles/${Bun.randomUUIDv7()}`)).status).toBe(404);
});
