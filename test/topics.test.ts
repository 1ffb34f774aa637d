import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryBus } from "../src/adapters/memory/memory-bus.ts";
import type { Bus, BusConnection } from "../src/bus/bus.ts";
import { type ServiceName, serviceNames } from "../src/bus/contract.ts";
import { contracts } from "../src/contracts.ts";
import { fixture } from "./support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "./support/kinora.ts";

/** A bus that can lose a topic of one service, as if nobody published it. */
class LossyBus implements Bus {
  readonly #bus: Bus;
  readonly #lost: string;

  constructor(bus: Bus, lost: string) {
    this.#bus = bus;
    this.#lost = lost;
  }

  async connect(identity: { service: ServiceName; instance: string }): Promise<BusConnection> {
    const connection = await this.#bus.connect(identity);
    const isLost = (topic: string) => `${identity.service} ${topic}` === this.#lost;
    return {
      identity: connection.identity,
      request: (...call) => connection.request(...call),
      serve: (handler) => connection.serve(handler),
      subscribe: (...subscription) => connection.subscribe(...subscription),
      publish: async (topic, key, body) => {
        if (!isLost(topic)) await connection.publish(topic, key, body);
      },
      onInterruption: (handler) => connection.onInterruption(handler),
      hears: () => connection.hears(),
      knows: (service) => connection.knows(service),
      retire: (withinMs) => connection.retire(withinMs),
      close: () => connection.close(),
    };
  }

  close(): Promise<void> {
    return this.#bus.close();
  }
}

const folder = mkdtempSync(join(tmpdir(), "kinora-topics-"));
let video = "";
let otherVideo = "";
beforeAll(async () => {
  video = await fixture("h264-aac.mp4");
  otherVideo = await fixture("h264-aac-faststart.mp4");
  copyFileSync(video, join(folder, "library film.mp4"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function comesTrue(condition: () => boolean | Promise<boolean>, withinMs: number): Promise<boolean> {
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; await Bun.sleep(20)) {
    if (await condition()) return true;
  }
  return false;
}

/** What is seen from outside of a publish; with the publish it comes true, without it never does. */
type Effect = (kinora: TestKinora, user: TestUser) => Promise<() => boolean | Promise<boolean>>;

const isListed =
  (service: ServiceName): Effect =>
  async (_kinora, user) =>
  async () => {
    const { items } = (await (await user.get("/api/services")).json()) as { items: { service: string }[] };
    return items.some((item) => item.service === service);
  };

/** Opens the event stream, does something and waits for an event of this kind. */
const tells =
  (kind: string, act: (user: TestUser) => Promise<unknown>): Effect =>
  async (_kinora, user) => {
    const response = await user.get("/api/events");
    let text = "";
    const read = async () => {
      for await (const chunk of response.body ?? []) text += new TextDecoder().decode(chunk);
    };
    read().catch(() => undefined);
    await comesTrue(() => text.includes("hello"), 5_000);
    await act(user);
    return () => text.includes(`event: ${kind}\n`);
  };

const effects: Readonly<Record<string, Effect>> = {
  ...Object.fromEntries(serviceNames.map((service) => [`${service} ServiceAvailability`, isListed(service)])),
  "streaming Progress": tells("scan", (user) => user.post("/api/library/rescan")),
  "upload Progress": tells("upload", (user) => user.upload(video)),
  "streaming MediaAnnouncements": async (_kinora, user) => async () => {
    const { items } = (await (await user.get("/api/titles?name=library")).json()) as { items: unknown[] };
    return items.length === 1;
  },
  "catalog TitleChanges": async (kinora, user) => {
    const { id } = await user.upload(video);
    await user.send("PATCH", `/api/titles/${id}`, { visibility: "members" });
    const bob = await TestUser.signIn(kinora, "bob");
    const status = async () => (await bob.fetch(`/stream/${id}/original`, { method: "HEAD" })).status;
    expect(await comesTrue(async () => (await status()) === 200, 5_000)).toBe(true);
    await user.send("PATCH", `/api/titles/${id}`, { visibility: "private" });
    return async () => (await status()) === 404;
  },
  "catalog CollectionChanges": async (kinora, user) => {
    const { id } = await user.upload(video);
    const made = (await (await user.post("/api/collections", { name: "Films" })).json()) as { id: string };
    await user.post(`/api/collections/${made.id}/titles`, { titleIds: [id] });
    const link = (await (await user.post("/api/links", { collectionId: made.id })).json()) as { url: string };
    const media = `/stream/${id}/original${new URL(link.url).search}`;
    const status = async () => (await new TestUser(kinora).fetch(media, { method: "HEAD" })).status;
    expect(await comesTrue(async () => (await status()) === 200, 5_000)).toBe(true);
    await user.send("DELETE", `/api/collections/${made.id}/titles?title=${id}`);
    return async () => (await status()) === 404;
  },
  "streaming StreamerSync": async (_kinora, user) => {
    const { id: titleId } = await user.upload(video);
    const { id } = (await (await user.post("/api/streams", { titleId, protocol: "hls" })).json()) as { id: string };
    const response = await user.get(`/api/streams/${id}/events`);
    let text = "";
    const read = async () => {
      for await (const chunk of response.body ?? []) text += new TextDecoder().decode(chunk);
    };
    read().catch(() => undefined);
    await comesTrue(() => text.includes("hello"), 5_000);
    await user.send("DELETE", `/api/streams/${id}`);
    return () => text.includes("event: stopped\n");
  },
  "auth AuthenticationStatus": async (kinora, user) => {
    const { id } = await uploadOfDeletedUser(kinora, user);
    return async () => (await user.get(`/api/titles/${id}`)).status === 404;
  },
  "catalog MediaReleased": async (kinora, user) => {
    const { mediaFiles } = await uploadOfDeletedUser(kinora, user);
    return () => mediaFiles() === 0;
  },
};

/** Somebody uploads and is deleted with all that was theirs; the only bytes in the media store were these. */
async function uploadOfDeletedUser(kinora: TestKinora, admin: TestUser) {
  const mediaFiles = () =>
    [...new Bun.Glob("media/*/**").scanSync({ cwd: kinora.data })].filter((path) => !path.includes("uploads/")).length;
  const bob = await TestUser.signIn(kinora, "bob");
  const { id } = await bob.upload(otherVideo);
  expect(mediaFiles()).toBeGreaterThan(0);
  const { items } = (await (await admin.get("/api/users")).json()) as { items: { id: string; username: string }[] };
  const deleted = await admin.send("DELETE", `/api/users/${items.find(({ username }) => username === "bob")?.id}`);
  expect(deleted.status).toBe(204);
  return { id, mediaFiles };
}

/** Long enough for what happens at once; heartbeats come every 2 s but the first is sent at the start. */
const NEVER_MS = 600;

test("every publish that a contract declares has its effect here", () => {
  const declared = contracts.flatMap(({ name, publishes }) => publishes.map((topic) => `${name} ${topic}`));
  expect(Object.keys(effects).sort()).toEqual(declared.sort());
});

describe("a topic carries what it is for:", () => {
  test.each(Object.keys(effects))("%s", async (name) => {
    for (const lost of ["", name]) {
      const kinora = await startTestKinora(
        { library: { folders: [folder] } },
        { openBus: (permissions, onFailure) => new LossyBus(new MemoryBus(permissions, onFailure), lost) },
      );
      try {
        const user = await TestUser.signIn(kinora, "ada");
        const seen = await effects[name]?.(kinora, user);
        if (!seen) throw new Error("no effect");
        expect([lost, await comesTrue(seen, lost ? NEVER_MS : 10_000)]).toEqual([lost, lost === ""]);
      } finally {
        await kinora.close();
      }
    }
  });
});
