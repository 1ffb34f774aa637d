import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { z } from "zod";
import { contracts } from "../contracts.ts";
import { NotFoundError, ProblemError, RateLimitedError } from "../errors.ts";
import { type Bus, type BusConnection, MESSAGE_BYTES_MAX, type RequestHandler } from "./bus.ts";
import { detached } from "./call-in-hand.ts";
import { defineService, defineTopic, type ServiceName, serviceNames } from "./contract.ts";
import { type PermissionTable, permissionsOf } from "./permissions.ts";
import { proxyOf, type ServiceProxy, serveContract } from "./proxy.ts";
import { publish, subscribe, subscribeDurably } from "./topics.ts";

/** A bus that the suite may use and close, and what its handlers' failures were reported as. */
export interface BusUnderTest {
  readonly bus: Bus;
  readonly failures: readonly unknown[];
}

const News = defineTopic("News", z.object({ n: z.number(), text: z.string().default("none") }));
const Sync = defineTopic("Sync", z.object({ n: z.number() }), { keyed: true });

const shop = defineService({
  name: "auth",
  operations: {
    add: { input: z.object({ a: z.number(), b: z.number().default(1) }), output: z.object({ sum: z.number() }) },
    fail: { input: z.object({ how: z.enum(["problem", "limited", "unknown"]) }), output: z.object({}) },
    lie: { input: z.object({}), output: z.object({ n: z.number() }) },
    wait: { input: z.object({}), output: z.object({}), timeoutMs: 50 },
    whoAmI: { input: z.object({}), output: z.object({ instance: z.string() }), repeatable: true },
  },
  publishes: ["News", "Sync"],
  subscribes: [],
  calls: [],
  routes: [],
});

const reader = defineService({
  name: "catalog",
  operations: {},
  publishes: ["News"],
  subscribes: ["News", "Sync"],
  durable: ["News"],
  calls: ["auth", "upload"],
  routes: [],
});

const other = defineService({
  ...reader,
  name: "upload",
  operations: { relay: { input: z.object({}), output: z.object({}), timeoutMs: 60_000 } },
  publishes: ["News"],
});

type Shop = ServiceProxy<typeof shop>;

/** Two bodies that cross, and one that is too large for any bus. */
const LARGE = "x".repeat(500_000);
const TOO_LARGE = "x".repeat(MESSAGE_BYTES_MAX + 1);

/** Waits until something holds; what comes over a network takes its time. */
async function until(condition: () => boolean, what = condition.toString()): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`it never came to: ${what}`);
    await Bun.sleep(2);
  }
}

async function failureOf(promise: Promise<unknown>): Promise<ProblemError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ProblemError)) throw new Error(`expected a ProblemError, got ${String(error)}`);
  return error;
}

/**
 * What every bus must do. An adapter's test calls it with a function that opens the bus with a permission table;
 * each test gets its own.
 */
export function busSuite(name: string, open: (permissions: PermissionTable) => Promise<BusUnderTest>): void {
  let under: BusUnderTest;
  let asShop: BusConnection;
  let asReader: BusConnection;
  const connect = (service: ServiceName, instance = "1") => under.bus.connect({ service, instance });

  const openWith = async (permissions: PermissionTable) => {
    under = await open(permissions);
  };

  beforeEach(async () => {
    await openWith(permissionsOf([shop, reader, other]));
    asShop = await connect("auth");
    asReader = await connect("catalog");
  });
  afterEach(() => under.bus.close());

  const serveShop = (
    connection: BusConnection,
    signals: AbortSignal[] = [],
    onAdd: (input: { a: number; b: number }) => void = () => undefined,
  ) =>
    serveContract(connection, shop, {
      add: async (input) => {
        onAdd(input);
        return { sum: input.a + input.b };
      },
      async fail({ how }) {
        if (how === "limited") throw new RateLimitedError("slowly", 7);
        if (how === "problem") throw new NotFoundError("no such thing");
        throw new Error("the password is hunter2");
      },
      lie: async () => ({ n: "one" }) as unknown as { n: number },
      wait: (_input, { signal }) => {
        signals.push(signal);
        return new Promise<never>((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
      whoAmI: async (_input, { caller }) => ({ instance: `${connection.identity.instance} for ${caller.service}` }),
    });

  describe(`${name}: requests`, () => {
    test("a call reaches the service, with defaults filled in, and its answer comes back", async () => {
      await serveShop(asShop);
      expect(await proxyOf(asReader, shop).add({ a: 2, b: 3 })).toEqual({ sum: 5 });
      expect(await proxyOf(asReader, shop).add({ a: 2 })).toEqual({ sum: 3 });
    });

    test("a member knows which services somebody answers for", async () => {
      expect(asReader.knows("auth")).toBe(false);
      const stop = await serveShop(asShop);
      await until(() => asReader.knows("auth"));
      expect(asReader.knows("upload")).toBe(false);
      await stop();
      await until(() => !asReader.knows("auth"));
      const next = await connect("auth", "2");
      await serveShop(next);
      await until(() => asReader.knows("auth"));
      await next.close();
      await until(() => !asReader.knows("auth"));
    });

    test("the handler is told who calls", async () => {
      await serveShop(asShop);
      expect(await proxyOf(asReader, shop).whoAmI({})).toEqual({ instance: "1 for catalog" });
    });

    test("bodies arrive as they were sent, however large and whatever they hold", async () => {
      await asShop.serve(async (_operation, body) => body);
      for (const body of ["", "ü漢\u0000\n\ud83c\udfac", LARGE]) {
        expect(await asReader.request({ service: "auth" }, "echo", body, { timeoutMs: 2_000 })).toBe(body);
      }
    });

    test("a body that is too large is refused with its size, on the way there and on the way back", async () => {
      await asShop.serve(async (operation, body) => (operation === "grow" ? TOO_LARGE : body));
      for (const [operation, body] of [
        ["echo", TOO_LARGE],
        ["grow", ""],
      ] as const) {
        const error = await failureOf(asReader.request({ service: "auth" }, operation, body, { timeoutMs: 5_000 }));
        expect(error).toMatchObject({ code: "message-too-large", status: 500 });
        expect(error.message).toContain(String(TOO_LARGE.length).slice(0, 4));
      }
      expect((await failureOf(asShop.publish("News", null, TOO_LARGE))).code).toBe("message-too-large");
      expect(await asReader.request({ service: "auth" }, "echo", "still there", { timeoutMs: 5_000 })).toBe(
        "still there",
      );
    });

    test("many calls at once each get their own answer", async () => {
      await serveShop(asShop);
      const proxy = proxyOf(asReader, shop);
      const sums = await Promise.all(Array.from({ length: 200 }, (_, a) => proxy.add({ a, b: 0 })));
      expect(sums.map(({ sum }) => sum)).toEqual(Array.from({ length: 200 }, (_, a) => a));
    });

    test("an error a caller can act on arrives with code, message, status, data and headers", async () => {
      await serveShop(asShop);
      const error = await failureOf(proxyOf(asReader, shop).fail({ how: "limited" }));
      expect(error).toMatchObject({
        code: "rate-limited",
        message: "slowly",
        status: 429,
        data: { retryAfterSeconds: 7 },
        headers: { "Retry-After": "7" },
      });
      expect((await failureOf(proxyOf(asReader, shop).fail({ how: "problem" }))).code).toBe("not-found");
    });

    test("any other error arrives as `internal` and tells nothing; the service's log has it", async () => {
      await serveShop(asShop);
      const error = await failureOf(proxyOf(asReader, shop).fail({ how: "unknown" }));
      expect(error).toMatchObject({ code: "internal", status: 500 });
      expect(JSON.stringify([error.message, error.data, String(error.stack)])).not.toContain("hunter2");
      expect(String(under.failures[0])).toContain("hunter2");
    });

    test("input that does not fit is refused before it is sent", async () => {
      const input = { a: "1" } as unknown as { a: number };
      expect((await failureOf(proxyOf(asReader, shop).add(input))).code).toBe("invalid-message");
    });

    test("input that does not fit is refused where it arrives, too", async () => {
      await serveShop(asShop);
      for (const body of ['{"a":"1"}', "{", ""]) {
        const reply = await asReader.request({ service: "auth" }, "add", body, { timeoutMs: 1_000 });
        expect(JSON.parse(reply)).toMatchObject({ error: { code: "invalid-message" } });
      }
    });

    test("an answer that does not fit is refused on either side", async () => {
      await serveShop(asShop);
      expect((await failureOf(proxyOf(asReader, shop).lie({}))).code).toBe("invalid-message");
      for (const reply of ['{"value":{"n":"one"}}', '{"error":"no"}', "nonsense"]) {
        const end = await (await connect("auth", reply)).serve(async () => reply);
        const call = proxyOf(asReader, shop).lie({}, { instance: reply });
        expect((await failureOf(call)).code).toBe("invalid-message");
        await end();
      }
    });

    test("an operation that does not exist is an error, not silence", async () => {
      await serveShop(asShop);
      for (const operation of ["nothing", "toString", "__proto__"]) {
        const reply = await asReader.request({ service: "auth" }, operation, "{}", { timeoutMs: 1_000 });
        expect(JSON.parse(reply)).toMatchObject({ error: { code: "unknown-operation" } });
      }
    });

    test("caller and service never share an object", async () => {
      const sent = { a: 1, b: 2 };
      let seen: unknown;
      await serveShop(asShop, [], (input) => {
        seen = input;
        input.a = 99;
      });
      await proxyOf(asReader, shop).add(sent);
      expect(seen).toEqual({ a: 99, b: 2 });
      expect(sent).toEqual({ a: 1, b: 2 });
    });

    test("a call that takes too long fails with `temporary-unavailable`, and its handler is told to stop", async () => {
      const signals: AbortSignal[] = [];
      await serveShop(asShop, signals);
      const error = await failureOf(proxyOf(asReader, shop).wait({}));
      expect(error).toMatchObject({ code: "temporary-unavailable", status: 503 });
      expect(error.message).toContain("50 ms");
      await until(() => signals[0]?.aborted === true);
    });

    test("a caller that gives up is let go at once with its own reason, and the handler is told to stop", async () => {
      const signals: AbortSignal[] = [];
      await serveShop(asShop, signals);
      const giveUp = new AbortController();
      const call = proxyOf(asReader, shop).wait({}, { signal: giveUp.signal, timeoutMs: 60_000 });
      await until(() => signals.length === 1);
      giveUp.abort(new Error("enough"));
      expect(call).rejects.toThrow("enough");
      await call.catch(() => undefined);
      await until(() => signals[0]?.aborted === true);
    });

    test("a caller that had given up before asking never reaches the service", async () => {
      let asked = 0;
      await asShop.serve(async () => String(++asked));
      const signal = AbortSignal.abort(new Error("never mind"));
      const call = asReader.request({ service: "auth" }, "x", "", { timeoutMs: 1_000, signal });
      expect(call).rejects.toThrow("never mind");
      await call.catch(() => undefined);
      expect(asked).toBe(0);
    });

    test("when nobody serves, the call fails at once and names the service", async () => {
      const begin = performance.now();
      const error = await failureOf(proxyOf(asReader, shop).add({ a: 1 }, { timeoutMs: 10_000 }));
      expect(error).toMatchObject({ code: "temporary-unavailable", status: 503 });
      expect(error.message).toContain("auth");
      expect(performance.now() - begin).toBeLessThan(2_000);
    });
  });

  describe(`${name}: calls that a handler makes`, () => {
    let signals: AbortSignal[];
    let asRelay: BusConnection;
    beforeEach(async () => {
      signals = [];
      await serveShop(asShop, signals);
      asRelay = await connect("upload");
    });
    /** Serves `relay`, with the shop as the handler sees it and what became of its call. */
    const serveRelay = async (handle: (shop: Shop) => Promise<unknown>) => {
      const outcomes: unknown[] = [];
      await serveContract(asRelay, other, {
        relay: async () => {
          await handle(proxyOf(asRelay, shop)).then(
            () => outcomes.push("done"),
            (error: unknown) => outcomes.push(error),
          );
          return {};
        },
      });
      return outcomes;
    };
    const patient = { timeoutMs: 60_000 };

    test("have no more time than its own caller has left", async () => {
      const outcomes = await serveRelay((shop) => shop.wait({}, patient));
      const begin = performance.now();
      const error = await failureOf(proxyOf(asReader, other).relay({}, { timeoutMs: 300 }));
      expect(error.message).toContain("300 ms");
      await until(() => signals[0]?.aborted === true && outcomes.length === 1);
      expect(outcomes[0]).toMatchObject({ name: expect.stringMatching(/Error$/) });
      expect(performance.now() - begin).toBeLessThan(5_000);
    });

    test("have no more than their own time either, and its caller is told what came of it", async () => {
      await serveContract(asRelay, other, { relay: () => proxyOf(asRelay, shop).wait({}, { timeoutMs: 60 }) });
      const error = await failureOf(proxyOf(asReader, other).relay({}, patient));
      expect(error.message).toContain("auth.wait did not answer within 60 ms");
    });

    test("end when its caller gives up, and so do those of further handlers", async () => {
      const outcomes = await serveRelay((shop) => shop.wait({}, patient));
      const giveUp = new AbortController();
      const call = proxyOf(asReader, other).relay({}, { ...patient, signal: giveUp.signal });
      await until(() => signals.length === 1);
      giveUp.abort(new Error("enough"));
      await call.catch(() => undefined);
      await until(() => signals[0]?.aborted === true && outcomes.length === 1);
    });

    test("also end by a signal of their own", async () => {
      const own = new AbortController();
      const outcomes = await serveRelay((shop) => shop.wait({}, { ...patient, signal: own.signal }));
      const call = proxyOf(asReader, other).relay({}, patient);
      await until(() => signals.length === 1);
      own.abort(new Error("not any more"));
      await call;
      expect(outcomes).toEqual([own.signal.reason]);
    });

    test("go on when they are detached, or made after it has answered", async () => {
      const left: Promise<ProblemError>[] = [];
      await serveRelay(async (shop) => {
        if (left.length > 0) {
          left.push(failureOf(Bun.sleep(50).then(() => shop.wait({}, patient))));
          return;
        }
        left.push(failureOf(detached(() => shop.wait({}, patient))));
        await Bun.sleep(300);
      });
      await failureOf(proxyOf(asReader, other).relay({}, { timeoutMs: 100 }));
      await proxyOf(asReader, other).relay({}, { timeoutMs: 1_000 });
      await until(() => signals.length === 2);
      await Bun.sleep(1_100);
      expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
      await asShop.close();
      for (const one of left) expect((await one).code).toBe("temporary-unavailable");
    });

    test("are the handler's alone: who hears of an event that it published has the usual time", async () => {
      await subscribe(asReader, News, async () => {
        await Bun.sleep(900);
        await proxyOf(asReader, shop).wait({}, patient);
      });
      await serveContract(asRelay, other, {
        relay: async () => {
          await publish(asRelay, News, { n: 1 });
          return {};
        },
      });
      await proxyOf(asReader, other).relay({}, { timeoutMs: 800 });
      await until(() => signals.length === 1);
      await Bun.sleep(50);
      expect(signals[0]?.aborted).toBe(false);
    });
  });

  describe(`${name}: instances`, () => {
    const named =
      (answer: string): RequestHandler =>
      async () =>
        answer;
    const ask = (service: ServiceName, instance?: string) =>
      asReader.request({ service, ...(instance ? { instance } : {}) }, "x", "", { timeoutMs: 2_000 });

    test("calls take turns over the live instances, also when calls to other services come in between", async () => {
      for (const instance of ["1", "2"]) {
        await (await connect("auth", instance)).serve(named(`auth ${instance}`));
        await (await connect("upload", instance)).serve(named(`upload ${instance}`));
      }
      const answers = new Map<string, number>();
      for (let i = 0; i < 20; i++) {
        for (const service of ["auth", "upload"] as const) {
          const answer = await ask(service);
          answers.set(answer, (answers.get(answer) ?? 0) + 1);
        }
      }
      expect([...answers.keys()].sort()).toEqual(["auth 1", "auth 2", "upload 1", "upload 2"]);
      for (const count of answers.values()) expect(count).toBeGreaterThanOrEqual(3);
    });

    test("a named instance gets the call, and nobody else does in its place", async () => {
      for (const instance of ["1", "2"]) await (await connect("auth", instance)).serve(named(instance));
      for (const instance of ["2", "2", "1"]) expect(await ask("auth", instance)).toBe(instance);
      const error = await failureOf(ask("auth", "3"));
      expect(error.code).toBe("temporary-unavailable");
      expect(error.message).toContain("3");
    });

    test("an instance that stops serving gets no more calls", async () => {
      const end = await asShop.serve(named("1"));
      await (await connect("auth", "2")).serve(named("2"));
      await end();
      for (let i = 0; i < 4; i++) expect(await ask("auth")).toBe("2");
      await end();
    });

    test("an instance that closes in the middle of a call fails it at once; a repeatable one goes to another", async () => {
      const started: string[] = [];
      const neverAnswers = async (connection: BusConnection) =>
        connection.serve(async (_operation, _body, { signal }) => {
          started.push(connection.identity.instance);
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          return "too late";
        });
      await neverAnswers(asShop);
      const first = failureOf(proxyOf(asReader, shop).add({ a: 1 }, { timeoutMs: 60_000 }));
      await until(() => started.length === 1);
      await asShop.close();
      expect((await first).code).toBe("temporary-unavailable");

      const dying = await connect("auth", "2");
      await neverAnswers(dying);
      const second = proxyOf(asReader, shop).whoAmI({}, { timeoutMs: 60_000 });
      await until(() => started.length === 2);
      await serveShop(await connect("auth", "3"));
      await dying.close();
      expect(await second).toEqual({ instance: "3 for catalog" });
    });
  });

  describe(`${name}: topics`, () => {
    test("an event reaches every subscriber there is, with defaults filled in, and none that comes later", async () => {
      const [first, second, late]: unknown[][] = [[], [], []];
      await subscribe(asReader, News, (event) => void first?.push(event));
      await subscribe(await connect("upload"), News, (event) => void second?.push(event));
      await publish(asShop, News, { n: 1 });
      await until(() => first?.length === 1 && second?.length === 1);
      await subscribe(asReader, News, (event) => void late?.push(event));
      await publish(asShop, News, { n: 2 });
      await until(() => first?.length === 2 && late?.length === 1);
      expect(first?.[0]).toEqual({ n: 1, text: "none" });
      expect(late).toEqual([{ n: 2, text: "none" }]);
    });

    test("two subscriptions of one member both get it, each its own object, and so does the publisher's own", async () => {
      const seen: { n: number }[] = [];
      await subscribe(asReader, News, (event) => void seen.push(event));
      await subscribe(asReader, News, (event) => void seen.push(event));
      const sent = { n: 1, text: "t" };
      await publish(asReader, News, sent);
      await until(() => seen.length === 2);
      expect(seen[0]).not.toBe(seen[1] as { n: number });
      expect(seen[0]).not.toBe(sent);
    });

    test("events of one publisher arrive in order, one after the other, however slow the handler", async () => {
      const seen: number[] = [];
      let running = 0;
      let most = 0;
      await subscribe(asReader, News, async ({ n }) => {
        most = Math.max(most, ++running);
        await Bun.sleep(n % 3);
        running--;
        seen.push(n);
      });
      for (let n = 0; n < 30; n++) await publish(asShop, News, { n });
      await until(() => seen.length === 30);
      expect(seen).toEqual(Array.from({ length: 30 }, (_, n) => n));
      expect(most).toBe(1);
    });

    test("publishing does not wait for handlers, and a slow one holds nobody else up", async () => {
      let seen = 0;
      const slow = Promise.withResolvers<void>();
      await subscribe(asReader, News, () => slow.promise);
      await subscribe(asReader, News, () => void seen++);
      await publish(asShop, News, { n: 1 });
      await publish(asShop, News, { n: 2 });
      await until(() => seen === 2);
      slow.resolve();
    });

    test("who hears an event knows which service published it", async () => {
      const senders: string[] = [];
      await subscribe(asReader, News, (_event, _key, sender) => void senders.push(sender));
      await publish(asShop, News, { n: 1 });
      await until(() => senders.length === 1);
      await publish(asReader, News, { n: 2 });
      await until(() => senders.length === 2);
      expect(senders).toEqual([asShop.identity.service, asReader.identity.service]);
    });

    test("a keyed topic is heard by key, or whole", async () => {
      const [one, all]: unknown[][] = [[], []];
      await subscribe(asReader, Sync, ({ n }, key) => void one?.push([key, n]), "a");
      await subscribe(asReader, Sync, ({ n }, key) => void all?.push([key, n]));
      await publish(asShop, Sync, { n: 1 }, "a");
      await publish(asShop, Sync, { n: 2 }, "b");
      await until(() => all?.length === 2);
      expect(all).toEqual([
        ["a", 1],
        ["b", 2],
      ]);
      expect(one).toEqual([["a", 1]]);
    });

    test("a keyed topic needs its key, and no other topic takes one", async () => {
      expect((await failureOf(publish(asShop, Sync, { n: 1 }))).code).toBe("invalid-message");
      expect((await failureOf(publish(asShop, News, { n: 1 }, "a"))).code).toBe("invalid-message");
    });

    test("a handler that throws is reported and stays subscribed, at once or later", async () => {
      const seen: number[] = [];
      await subscribe(asReader, News, ({ n }) => {
        seen.push(n);
        if (n === 1) throw new Error("at once");
        return n === 2 ? Promise.reject(new Error("later")) : undefined;
      });
      for (const n of [1, 2, 3]) await publish(asShop, News, { n });
      await until(() => seen.length === 3);
      expect(under.failures.map(String)).toEqual(["Error: at once", "Error: later"]);
    });

    test("an event that does not fit is refused where it is published", async () => {
      const event = { n: "1" } as unknown as { n: number };
      expect((await failureOf(publish(asShop, News, event))).code).toBe("invalid-message");
    });

    test("an event that does not fit where it arrives is reported, never handled, and the next one is", async () => {
      const seen: number[] = [];
      await subscribe(asReader, News, ({ n }) => void seen.push(n));
      for (const body of ["{", '{"n":"1"}', "", '{"n":2}']) await asShop.publish("News", null, body);
      await until(() => seen.length === 1);
      expect(seen).toEqual([2]);
      expect(under.failures).toHaveLength(3);
    });

    test("after unsubscribing nothing more comes; doing it again does nothing", async () => {
      const [ended, live]: number[][] = [[], []];
      const end = await subscribe(asReader, News, ({ n }) => void ended?.push(n));
      await subscribe(asReader, News, ({ n }) => void live?.push(n));
      await end();
      await end();
      await publish(asShop, News, { n: 1 });
      await until(() => live?.length === 1);
      expect(ended).toEqual([]);
    });
  });

  describe(`${name}: durable subscriptions`, () => {
    const unexpected = (error: unknown) => {
      throw error;
    };
    const keep = (
      connection: BusConnection,
      into: unknown[],
      handler: (n: number) => Promise<void> | void = () => {},
    ) =>
      subscribeDurably(
        connection,
        News,
        async ({ n }) => {
          await handler(n);
          into.push(n);
        },
        unexpected,
      );

    test("what is published while no instance of the service is there comes, in order, when one is", async () => {
      const [first, second]: number[][] = [[], []];
      await keep(asReader, first ?? []);
      await publish(asShop, News, { n: 1 });
      await until(() => first?.length === 1);
      await asReader.close();
      for (const n of [2, 3, 4]) await publish(asShop, News, { n });
      await keep(await connect("catalog", "2"), second ?? []);
      await until(() => second?.length === 3);
      expect([first, second]).toEqual([[1], [2, 3, 4]]);
    });

    test("of several instances one handles each event; every service has its own, and other subscribers hear it too", async () => {
      const [catalog, upload, live]: number[][] = [[], [], []];
      for (const instance of ["2", "3"]) await keep(await connect("catalog", instance), catalog ?? []);
      await keep(await connect("upload"), upload ?? []);
      await subscribe(asReader, News, ({ n }) => void live?.push(n));
      const sent = Array.from({ length: 10 }, (_, n) => n);
      for (const n of sent) await publish(asShop, News, { n });
      await until(() => [catalog, upload, live].every((seen) => (seen?.length ?? 0) >= 10));
      await Bun.sleep(20);
      expect([catalog?.sort(), upload, live]).toEqual([sent, sent, sent]);
    });

    test("an event whose handler throws is reported and comes again, before the next one", async () => {
      const seen: number[] = [];
      let failures = 0;
      await keep(asReader, seen, (n) => {
        if (n === 1 && failures++ < 2) throw new Error("not now");
      });
      for (const n of [1, 2]) await publish(asShop, News, { n });
      await until(() => seen.length === 2);
      expect(seen).toEqual([1, 2]);
      expect(under.failures.map(String)).toEqual(["Error: not now", "Error: not now"]);
    });

    test("an event that does not fit is told of once, and the next one comes", async () => {
      const [seen, invalid]: unknown[][] = [[], []];
      await subscribeDurably(
        asReader,
        News,
        ({ n }) => void seen?.push(n),
        (error) => void invalid?.push(error),
      );
      for (const body of ["{", '{"n":2}']) await asShop.publish("News", null, body);
      await until(() => seen?.length === 1);
      expect(seen).toEqual([2]);
      expect(invalid).toHaveLength(1);
    });

    test("closing waits for the handler that runs; its event does not come again", async () => {
      const [first, second]: number[][] = [[], []];
      let running = false;
      await keep(asReader, first ?? [], async () => {
        running = true;
        await Bun.sleep(50);
      });
      await publish(asShop, News, { n: 1 });
      await until(() => running);
      await asReader.close();
      await keep(await connect("catalog", "2"), second ?? []);
      await publish(asShop, News, { n: 2 });
      await until(() => second?.length === 1);
      expect([first, second]).toEqual([[1], [2]]);
    });

    test("a topic that the contract does not name as durable is refused", async () => {
      const subscribing = asReader.subscribe("Sync", null, () => undefined, { durable: true });
      expect((await failureOf(subscribing)).code).toBe("bus-forbidden");
    });
  });

  describe(`${name}: permissions`, () => {
    const topics = [...new Set(contracts.flatMap(({ publishes, subscribes }) => [...publishes, ...subscribes]))];
    const codeOf = async (promise: Promise<unknown>) =>
      promise.then(
        () => "granted",
        (error: unknown) => (error instanceof ProblemError ? error.code : String(error)),
      );
    const expected = (granted: boolean) => (granted ? "granted" : "bus-forbidden");

    test.each(serviceNames.map((service) => [service]))(
      "%s may do what its contract says and nothing else",
      async (service) => {
        await under.bus.close();
        await openWith(permissionsOf(contracts));
        const contract = contracts.find((candidate) => candidate.name === service);
        const connection = await connect(service);
        for (const topic of topics) {
          const key = topic === "StreamerSync" ? "k" : null;
          const published = await codeOf(connection.publish(topic, key, "{}"));
          expect([service, "publish", topic, published]).toEqual([
            service,
            "publish",
            topic,
            expected(contract?.publishes.includes(topic) ?? false),
          ]);
          const subscribed = await codeOf(connection.subscribe(topic, key, () => undefined));
          expect([service, "subscribe", topic, subscribed]).toEqual([
            service,
            "subscribe",
            topic,
            expected(contract?.subscribes.includes(topic) ?? false),
          ]);
        }
        for (const callee of serviceNames) {
          const end = await (await connect(callee, "callee")).serve(async () => "ok");
          const target = { service: callee, instance: "callee" };
          const called = await codeOf(connection.request(target, "x", "", { timeoutMs: 2_000 }));
          expect([service, "call", callee, called]).toEqual([
            service,
            "call",
            callee,
            expected(contract?.calls.includes(callee) ?? false),
          ]);
          await end();
        }
      },
    );

    test("a topic nobody declares and a service without a contract are refused", async () => {
      expect(await codeOf(asShop.publish("Gossip", null, "{}"))).toBe("bus-forbidden");
      expect(await codeOf(asReader.subscribe("Gossip", null, () => undefined))).toBe("bus-forbidden");
      const stranger = await connect("streaming");
      expect(await codeOf(stranger.publish("News", null, "{}"))).toBe("bus-forbidden");
      expect(await codeOf(stranger.request({ service: "auth" }, "x", "", { timeoutMs: 500 }))).toBe("bus-forbidden");
    });

    test("names that are prefixes, wildcards or built-ins of something granted are not granted", async () => {
      for (const topic of ["New", "News.a", "*", ">", "News ", "", "constructor"]) {
        expect([topic, await codeOf(asShop.publish(topic, null, "{}"))]).toEqual([topic, "bus-forbidden"]);
        expect([topic, await codeOf(asReader.subscribe(topic, null, () => undefined))]).toEqual([
          topic,
          "bus-forbidden",
        ]);
      }
    });
  });

  describe(`${name}: closing`, () => {
    test("a closed member hears nothing, serves nothing and can do nothing; closing it again does nothing", async () => {
      const [closed, live]: number[][] = [[], []];
      await subscribe(asReader, News, ({ n }) => void closed?.push(n));
      await subscribe(await connect("upload"), News, ({ n }) => void live?.push(n));
      await serveShop(asShop);
      await asReader.close();
      await asReader.close();
      await publish(asShop, News, { n: 1 });
      await until(() => live?.length === 1);
      expect(closed).toEqual([]);
      for (const act of [
        () => asReader.publish("News", null, '{"n":1}'),
        () => asReader.subscribe("News", null, () => undefined),
        () => asReader.request({ service: "auth" }, "add", '{"a":1}', { timeoutMs: 500 }),
      ]) {
        expect((await failureOf(act())).code).toBe("temporary-unavailable");
      }
      await asShop.close();
      const call = (await connect("catalog", "2")).request({ service: "auth" }, "add", "", { timeoutMs: 500 });
      expect((await failureOf(call)).code).toBe("temporary-unavailable");
    });

    test("a member that closes fails the calls it waits for", async () => {
      const signals: AbortSignal[] = [];
      await serveShop(asShop, signals);
      const call = failureOf(proxyOf(asReader, shop).wait({}, { timeoutMs: 60_000 }));
      await until(() => signals.length === 1);
      await asReader.close();
      expect((await call).code).toBe("temporary-unavailable");
    });

    test("a member that retires answers the calls it has, and gets no more; what it asks and hears goes on", async () => {
      const held = Promise.withResolvers<void>();
      let running = 0;
      await asShop.serve(async () => {
        running++;
        await held.promise;
        return "answered";
      });
      const call = asReader.request({ service: "auth" }, "x", "", { timeoutMs: 10_000 });
      await until(() => running === 1);
      const retired = asShop.retire(10_000);
      await serveShop(await connect("auth", "2"));
      const whoAmI = () => proxyOf(asReader, shop).whoAmI({}, { timeoutMs: 5_000 });
      for (let n = 0; n < 4; n++) expect(await whoAmI()).toEqual({ instance: "2 for catalog" });
      held.resolve();
      expect(await call).toBe("answered");
      await retired;
      const seen: number[] = [];
      await subscribe(asReader, News, ({ n }) => void seen.push(n));
      await publish(asShop, News, { n: 1 });
      await until(() => seen.length === 1);
    });

    test("a member that retires waits for a call that does not end no longer than it was told", async () => {
      const end = Promise.withResolvers<string>();
      let running = 0;
      await asShop.serve(() => {
        running++;
        return end.promise;
      });
      const call = asReader.request({ service: "auth" }, "x", "", { timeoutMs: 10_000 }).catch(() => "failed");
      await until(() => running === 1);
      await asShop.retire(20);
      end.resolve("late");
      expect(await call).toBe("late");
    });

    test("closing lets the event handler that runs end first", async () => {
      let state = "";
      await subscribe(asReader, News, async () => {
        state = "running";
        await Bun.sleep(20);
        state = "done";
      });
      await publish(asShop, News, { n: 1 });
      await until(() => state === "running");
      await asReader.close();
      expect(state).toBe("done");
    });

    test("closing the bus closes every member", async () => {
      await under.bus.close();
      await under.bus.close();
      expect((await failureOf(asShop.publish("News", null, "{}"))).code).toBe("temporary-unavailable");
    });
  });
}
