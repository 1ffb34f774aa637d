import { afterEach, beforeEach, expect, test } from "bun:test";
import pino from "pino";
import { refusing } from "../../../test/support/refusing.ts";
import { MemoryBus } from "../../adapters/memory/memory-bus.ts";
import type { Principal, Role } from "../../auth/contract.ts";
import { Peers } from "../../bus/peers.ts";
import { permissionsOf } from "../../bus/permissions.ts";
import { proxyOf, serveContract } from "../../bus/proxy.ts";
import { publish, subscribe } from "../../bus/topics.ts";
import { contracts } from "../../contracts.ts";
import { mainContract } from "../../main/contract.ts";
import { StreamerSync, streamingContract } from "../contract.ts";
import { LiveStreams } from "../live-streams.ts";
import { systemClock } from "./clock.ts";
import { StreamControllers } from "./stream-controllers.ts";
import { StreamDirectory } from "./stream-directory.ts";
import { StreamEvents } from "./stream-events.ts";
import { operationsOf } from "./stream-operations.ts";

const person = (username: string, role: Role = "editor"): Principal => ({
  userId: Bun.randomUUIDv7(),
  username,
  role,
  credential: { kind: "session", id: username },
});
const ada = person("ada");
const bob = person("bob");
const root = person("root", "admin");
const titleId = Bun.randomUUIDv7();
const inAMinute = () => Date.now() + 60_000;
const authenticator = {
  authenticate: async () => ada,
  resolveGrant: async () => null,
  onRevoked: () => () => undefined,
};

/** A streaming instance: its controllers on the bus, and what it knows of the others'. */
async function openInstance(instance: string) {
  const connection = await bus.connect({ service: "streaming", instance });
  const controllers = new StreamControllers({
    ...{ clock: systemClock, instance, graceMs: 10_000, perUser: 2, max: 100, live: new LiveStreams() },
    onRevoked: () => () => undefined,
    admit: async () => undefined,
    revokeGrant: async () => undefined,
    onChange: () => undefined,
    publish: (id, event) => publish(connection, StreamerSync, event, id),
    log: pino({ level: "silent" }),
  });
  await serveContract(connection, streamingContract, {
    ...refusing(streamingContract),
    ...operationsOf(controllers),
  });
  const directory = new StreamDirectory({
    controllers,
    peers: new Peers({ main: proxyOf(connection, mainContract), ...connection.identity }),
    streaming: proxyOf(connection, streamingContract),
  });
  const events = new StreamEvents({
    subscribe: (id, handler) => subscribe(connection, StreamerSync, handler, id),
    find: (id, who) => directory.get(id, who),
    ...{ authenticator, graceMs: 10_000, commentEveryMs: 20 },
  });
  const create = async (who: Principal) => {
    const request = { who, titleId, protocol: "rtsp" as const, expiresAtMs: inAMinute() };
    return controllers.create(request, await directory.countElsewhere(who.userId), async () => ({
      ...{ id: Bun.randomUUIDv7(), url: `rtsp://${instance}/`, sdp: null, grant: null, push: null },
      title: { id: titleId, name: "Film" },
      limitAtMs: inAMinute(),
    }));
  };
  return { connection, controllers, directory, events, create, instance };
}

let bus: MemoryBus;
let one: Awaited<ReturnType<typeof openInstance>>;
let two: Awaited<ReturnType<typeof openInstance>>;
beforeEach(async () => {
  bus = new MemoryBus(permissionsOf(contracts), () => undefined);
  one = await openInstance("one");
  two = await openInstance("two");
  const since = new Date().toISOString();
  await serveContract(await bus.connect({ service: "main", instance: "m" }), mainContract, {
    ...refusing(mainContract),
    listServices: async () => ({
      // The third has gone and main does not know it yet.
      items: ["one", "two", "three"].map((instance) => ({
        service: "streaming" as const,
        instance,
        addresses: [],
        since,
      })),
    }),
  });
});
afterEach(() => bus.close());

test("any instance lists, renews, pauses and stops what another holds", async () => {
  const here = await one.create(ada);
  const there = await two.create(ada);
  await two.create(bob);
  const { directory } = one;
  expect((await directory.list(ada.userId)).map(({ id, instance }) => [id, instance])).toEqual([
    [there.id, "two"],
    [here.id, "one"],
  ]);
  expect((await directory.list(null)).length).toBe(3);
  const renewed = await directory.refresh(there.id, ada, inAMinute());
  expect(renewed).toMatchObject({ id: there.id, url: there.url });
  expect((await directory.control(there.id, ada, "pause")).state).toBe("paused");
  expect((await two.directory.get(there.id, ada)).state).toBe("paused");
  expect((await directory.control(there.id, root, "stop")).id).toBe(there.id);
  expect(two.controllers.has(there.id)).toBe(false);
});

test("what is somebody else's, or nobody's, is not there on any of them", async () => {
  const { id } = await two.create(ada);
  const notThere = { code: "not-found", status: 404 };
  for (const { directory } of [one, two]) {
    await expect(directory.get(id, bob)).rejects.toMatchObject(notThere);
    await expect(directory.refresh(id, bob, inAMinute())).rejects.toMatchObject(notThere);
    await expect(directory.control(id, bob, "stop")).rejects.toMatchObject(notThere);
    await expect(directory.control(Bun.randomUUIDv7(), root, "stop")).rejects.toMatchObject(notThere);
  }
  await expect(one.directory.refresh(id, root, inAMinute())).rejects.toMatchObject({ code: "forbidden", status: 403 });
  expect(two.controllers.has(id)).toBe(true);
});

test("the limit of one user counts those on all of them", async () => {
  await one.create(ada);
  await two.create(ada);
  await expect(one.create(ada)).rejects.toMatchObject({ code: "quota-exceeded" });
  await expect(two.create(ada)).rejects.toMatchObject({ code: "quota-exceeded" });
});

test("an instance that does not answer leaves nobody's grant for an orphan", async () => {
  await one.create(ada);
  await expect(one.directory.allIds()).rejects.toMatchObject({ code: "temporary-unavailable" });
});

async function textOf(response: Response): Promise<string> {
  return new Response(response.body).text();
}
const reading = (id: string, who: Principal) => ({
  ...{ id, who, request: new Request("http://kinora.test/") },
  stopping: new AbortController().signal,
});

test("the events of a stream are heard on every instance, until it stops", async () => {
  const { id } = await two.create(ada);
  const text = textOf(await one.events.open(reading(id, ada)));
  await two.controllers.pause(id, ada);
  await two.controllers.resume(id, ada);
  await two.controllers.stop(id, ada);
  const names = [...(await text).matchAll(/^event: (.*)$/gm)].map((match) => match[1] ?? "");
  expect(names).toEqual(["paused", "resumed", "stopped"]);
  await expect(one.events.open(reading(id, bob))).rejects.toMatchObject({ status: 404 });
});

test("a stream whose instance is gone without a word is told to be", async () => {
  const { id } = await two.create(ada);
  const text = textOf(await one.events.open(reading(id, ada)));
  await two.connection.close();
  expect(await text).toContain(`event: stopped\ndata: {"id":"${id}","reason":"gone"}`);
});
