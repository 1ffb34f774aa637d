import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { MemoryBus } from "../adapters/memory/memory-bus.ts";
import type { BusConnection } from "../bus/bus.ts";
import type { ServiceName } from "../bus/contract.ts";
import { ServiceUnavailableError } from "../bus/errors.ts";
import { permissionsOf } from "../bus/permissions.ts";
import { proxyOf } from "../bus/proxy.ts";
import { contracts } from "../contracts.ts";
import { mainContract } from "../main/contract.ts";
import { startMain } from "../main/main-service.ts";
import type { Service } from "../service.ts";
import { BusForwardTrust } from "./bus-forward-trust.ts";
import { makeProof } from "./forward-proof.ts";

const SECOND = 1_000;
const nobody = { authenticate: async () => null, resolveGrant: async () => null, onRevoked: () => () => undefined };
const request = { method: "GET", target: "/stream/1/original?a=b", client: '{"clientAddress":"203.0.113.7"}' };

describe("services recognise what main sends on", () => {
  const bus = new MemoryBus(permissionsOf(contracts), () => undefined);
  const connections = new Map<ServiceName, BusConnection>();
  let main: Service;

  const connectionOf = (service: ServiceName) => {
    const connection = connections.get(service);
    if (!connection) throw new Error(`${service} has not been connected`);
    return connection;
  };
  const keyOf = async (service: ServiceName) =>
    (await proxyOf(connectionOf(service), mainContract).getForwardKey({}, { instance: "m" })).key;
  const claimFor = (service: ServiceName, atMs = Date.now()) => ({ main: "m", service, instance: "one", atMs });

  beforeAll(async () => {
    for (const service of ["auth", "upload", "streaming"] as const)
      connections.set(service, await bus.connect({ service, instance: "one" }));
    main = await startMain({
      connection: await bus.connect({ service: "main", instance: "m" }),
      authenticator: nobody,
      addresses: () => [],
      forwards: true,
    });
  });
  afterAll(async () => {
    await main.close();
    await bus.close();
  });

  test("each service has a key of its own, and makes no proof for another with it", async () => {
    const [auth, streaming] = [await keyOf("auth"), await keyOf("streaming")];
    expect(auth).not.toBe(streaming);
    const trust = new BusForwardTrust([connectionOf("auth")]);
    expect(await trust.check(makeProof(auth, claimFor("auth"), request), request)).toBe("here");
    // Streaming was broken into, and knows whatever arrived there.
    expect(await trust.check(makeProof(streaming, claimFor("auth"), request), request)).toBe("no");
    expect(await trust.check(makeProof(streaming, claimFor("streaming"), request), request)).toBe("elsewhere");
  });

  test("a process with several services takes what is meant for each of them", async () => {
    const trust = new BusForwardTrust([connectionOf("upload"), connectionOf("upload"), connectionOf("streaming")]);
    for (const service of ["upload", "streaming"] as const) {
      const proof = makeProof(await keyOf(service), claimFor(service), request);
      expect([service, await trust.check(proof, request)]).toEqual([service, "here"]);
    }
    const other = { ...claimFor("streaming"), instance: "two" };
    expect(await trust.check(makeProof(await keyOf("streaming"), other, request), request)).toBe("elsewhere");
  });

  test("who cannot be asked about while the way to the broker is cut is unknown, not refused", async () => {
    const connection = connectionOf("auth");
    let hears: "all" | "nothing" = "nothing";
    let isBack: () => void = () => undefined;
    const cut: BusConnection = {
      identity: connection.identity,
      request: () => Promise.reject(new ServiceUnavailableError("main")),
      serve: (handler) => connection.serve(handler),
      publish: (...event) => connection.publish(...event),
      subscribe: (...subscription) => connection.subscribe(...subscription),
      onInterruption(handler) {
        isBack = handler;
        return () => undefined;
      },
      hears: () => hears,
      knows: (service) => connection.knows(service),
      retire: (withinMs) => connection.retire(withinMs),
      close: () => connection.close(),
    };
    // A process may have more connections than the one that is asked by; each finds its own way back.
    const trust = new BusForwardTrust([connection, cut]);
    const proof = makeProof(await keyOf("auth"), claimFor("auth"), request);
    expect(await trust.check(proof, request)).toBe("unknown");
    hears = "all";
    isBack();
    expect(await trust.check(proof, request)).toBe("unknown");
    const never = new BusForwardTrust([connection, cut]);
    expect(await never.check(proof, request)).toBe("no");
  });

  test("a proof counts for 30 s, whichever clock is ahead, and an operator hears of it once", async () => {
    const key = await keyOf("auth");
    const said: string[] = [];
    const atMs = Date.parse("2026-01-01T12:00:00Z");
    const proof = makeProof(key, claimFor("auth", atMs), request);
    for (const [aheadMs, verdict] of [
      [0, "here"],
      [30 * SECOND, "here"],
      [-30 * SECOND, "here"],
      [31 * SECOND, "unknown"],
      [-31 * SECOND, "unknown"],
    ] as const) {
      const options = { now: () => atMs + aheadMs, warn: (message: string) => void said.push(message) };
      const trust = new BusForwardTrust([connectionOf("auth")], options);
      expect([aheadMs, await trust.check(proof, request)]).toEqual([aheadMs, verdict]);
      await trust.check(proof, request);
    }
    expect(said.length).toBe(2);
    expect(said[0]).toContain("31 s away");
    expect(said.join()).not.toContain(key);
  });
});
