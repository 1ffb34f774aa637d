import { afterEach, beforeEach, expect, test } from "bun:test";
import { refusing } from "../../test/support/refusing.ts";
import { MemoryBus } from "../adapters/memory/memory-bus.ts";
import { contracts } from "../contracts.ts";
import type { ServiceInstance } from "../main/contract.ts";
import { streamingContract } from "../streaming/contract.ts";
import { Peers } from "./peers.ts";
import { permissionsOf } from "./permissions.ts";
import type { CallOptions } from "./proxy.ts";
import { proxyOf, serveContract } from "./proxy.ts";

const instanceOf = (service: ServiceInstance["service"], instance: string): ServiceInstance => ({
  ...{ service, instance, addresses: [], since: new Date(0).toISOString() },
});
const known = [
  ...["one", "two", "three"].map((instance) => instanceOf("streaming", instance)),
  instanceOf("catalog", "four"),
];

let bus: MemoryBus;
let asked: string[];
beforeEach(() => {
  bus = new MemoryBus(permissionsOf(contracts), () => undefined);
  asked = [];
});
afterEach(() => bus.close());

/** A streaming instance that says how many sources it has, which is the length of its name. */
async function serve(instance: string, answer = async () => ({ sources: instance.length })) {
  const connection = await bus.connect({ service: "streaming", instance });
  const reannounce = () => {
    asked.push(instance);
    return answer();
  };
  await serveContract(connection, streamingContract, { ...refusing(streamingContract), reannounce });
}

/** What instance one gets from all, and how it asks. */
async function openOne(listServices = async () => ({ items: known })) {
  const connection = await bus.connect({ service: "catalog", instance: "asks" });
  const streaming = proxyOf(connection, streamingContract);
  const peers = new Peers({ main: { listServices }, service: "streaming", instance: "one", timeoutMs: 50 });
  return { peers, ask: async (target: CallOptions) => (await streaming.reannounce({}, target)).sources };
}

test("the own answer stands first and costs no call, the others of the same service are asked by name", async () => {
  for (const name of ["one", "two", "three"]) await serve(name);
  const { peers, ask } = await openOne();
  expect((await peers.others()).map(({ instance }) => instance)).toEqual(["two", "three"]);
  expect(await peers.askAll(100, ask)).toEqual({ answers: [100, 3, 5], missing: [] });
  expect(asked.toSorted()).toEqual(["three", "two"]);
});

test("who is gone, refuses or does not answer in time is named, and the others are heard all the same", async () => {
  await serve("two", () => new Promise(() => undefined));
  await serve("three");
  const { peers, ask } = await openOne();
  expect(await peers.askAll(Promise.resolve(100), ask)).toEqual({ answers: [100, 5], missing: ["two"] });
  const gone = [instanceOf("streaming", "gone"), instanceOf("streaming", "three")];
  expect(await peers.askAll(100, ask, Promise.resolve(gone))).toEqual({ answers: [100, 5], missing: ["gone"] });
});

test("nothing is made up: a failure of the own answer or of main is the caller's", async () => {
  const away = () => Promise.reject(new Error("main is away"));
  const { peers, ask } = await openOne(away);
  await expect(peers.askAll(100, ask)).rejects.toThrow("main is away");
  expect(await peers.askAll(100, ask, Promise.resolve([]))).toEqual({ answers: [100], missing: [] });
  const own = Promise.reject(new Error("no answer of one's own"));
  await expect(peers.askAll(own, ask, Promise.resolve([]))).rejects.toThrow("no answer of one's own");
});
