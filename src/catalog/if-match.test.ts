import { afterEach, beforeEach, expect, test } from "bun:test";
import { libraryFile, person, startTestCatalog, testId } from "../../test/support/catalog.ts";

const [ann, ben, viewer] = [person(1), person(2), person(0, "viewer")];
let rig: Awaited<ReturnType<typeof startTestCatalog>>;

beforeEach(async () => {
  rig = await startTestCatalog();
  await rig.announce(libraryFile(1));
  await rig.catalog.settleAnnouncements({});
});
afterEach(() => rig.close());

const path = `/api/titles/${testId(1)}`;

test("of two who edit a title at the same time the second is told, and nothing of the first is lost", async () => {
  const { etag } = await rig.as(ann).get(path);
  expect(etag).toMatch(/^"[\w-]{22}"$/);
  expect((await rig.as(ben).get(path)).etag).toBe(etag);
  const first = await rig.as(ann).send("PATCH", path, { name: "Ann's" }, { "If-Match": etag });
  expect(first).toMatchObject({ status: 200, body: { name: "Ann's" } });
  expect(first.etag).not.toBe(etag);
  const second = await rig.as(ben).send("PATCH", path, { name: "Ben's" }, { "If-Match": etag });
  expect([second.status, second.body.code]).toEqual([412, "changed-meanwhile"]);
  expect(await rig.as(ben).get(path)).toMatchObject({ etag: first.etag, body: { name: "Ann's" } });
  const third = await rig.as(ben).send("PATCH", path, { name: "Ben's" }, { "If-Match": `"x", ${first.etag}` });
  expect([third.status, third.body.name]).toEqual([200, "Ben's"]);
});

test("what somebody has watched is no change; a tag is one, and so is what is found out of the file", async () => {
  const { etag } = await rig.as(ann).get(path);
  const now = async () => (await rig.as(ann).get(path)).etag;
  await rig.as(ann).send("PUT", `${path}/progress`, { positionSeconds: 7 });
  expect(await now()).toBe(etag);
  await rig.as(ben).send("POST", `${path}/tags`, { tags: ["Trips"] });
  const tagged = await now();
  expect(tagged).not.toBe(etag);
  await rig.announce(libraryFile(1, { availability: "unavailable" }));
  await rig.catalog.settleAnnouncements({});
  expect(await now()).not.toBe(tagged);
});

test("without If-Match, and with an asterisk, an edit is done as ever; who may not edit is told that", async () => {
  const edit = async (who: typeof ann, headers: Record<string, string>, id = testId(1)) =>
    (await rig.as(who).send("PATCH", `/api/titles/${id}`, { name: "New" }, headers)).status;
  expect(await edit(ann, {})).toBe(200);
  expect(await edit(ann, { "If-Match": "*" })).toBe(200);
  const { etag } = await rig.as(ann).get(path);
  expect(await edit(ann, { "If-Match": `W/${etag}` })).toBe(412);
  expect(await edit(viewer, { "If-Match": '"x"' })).toBe(403);
  expect(await edit(ann, { "If-Match": '"x"' }, testId(9))).toBe(404);
});

test("name and tags are saved together or not at all, and told once", async () => {
  const { body } = await rig.as(ann).send("POST", `${path}/tags`, { tags: ["Trips", "Sea"] });
  const refused = await rig.as(ann).send("PATCH", path, { name: "New", tags: ["x".repeat(80)] });
  expect([refused.status, refused.body.code]).toEqual([400, "invalid-request"]);
  expect((await rig.as(ann).send("PATCH", path, { name: "New", tags: ["\u202e"] })).status).toBe(400);
  const before = await rig.as(ann).get(path);
  expect(before.body).toMatchObject({ name: body.name, tags: body.tags });
  const told = rig.changes.length;
  const headers = { "If-Match": before.etag };
  const edit = { name: "New", tags: ["sea", "Night", "night"] };
  expect((await rig.as(ann).send("PATCH", path, edit, headers)).body).toMatchObject({
    name: "New",
    tags: ["sea", "Night"],
  });
  expect(rig.changes.length).toBe(told + 1);
  expect((await rig.as(ann).send("PATCH", path, edit, headers)).status).toBe(412);
  expect((await rig.as(ann).send("PATCH", path, { tags: [] })).body).toMatchObject({ name: "New", tags: [] });
  expect((await rig.as(viewer).send("PATCH", path, { tags: [] })).status).toBe(403);
});

test("of two who edit a collection at the same time the second is told, also when its videos were changed", async () => {
  const { body } = await rig.as(ann).send("POST", "/api/collections", { name: "Mine" });
  const at = `/api/collections/${body.id}`;
  const { etag } = await rig.as(ann).get(at);
  const named = await rig.as(ann).send("PATCH", at, { name: "Ours" }, { "If-Match": etag });
  expect(named.status).toBe(200);
  const late = await rig.as(ann).send("PATCH", at, { description: "x" }, { "If-Match": etag });
  expect([late.status, late.body.code]).toEqual([412, "changed-meanwhile"]);
  expect((await rig.as(ann).get(at)).etag).toBe(named.etag);
  await Bun.sleep(2);
  await rig.as(ann).send("POST", `${at}/titles`, { titleIds: [testId(1)] });
  expect((await rig.as(ann).get(at)).etag).not.toBe(named.etag);
  expect((await rig.as(ann).send("PATCH", at, { name: "Mine" })).status).toBe(200);
});
