import { connect } from "@nats-io/transport-node";
import { z } from "zod";
import { NatsBus } from "../src/adapters/nats/nats-bus.ts";
import { subjects } from "../src/adapters/nats/nats-subjects.ts";
import { defineService } from "../src/bus/contract.ts";
import { permissionsOf } from "../src/bus/permissions.ts";
import { proxyOf, serveContract } from "../src/bus/proxy.ts";
import { startTestNats, type TestNats } from "../test/support/nats.ts";
import { median } from "./support/process.ts";
import { against, type Figure, figure } from "./support/report.ts";

const RUNS = 7;
const RUN_MS = 700;
const CALLERS = [1, 64];

const shop = defineService({
  name: "auth",
  operations: {
    find: {
      input: z.object({ id: z.uuid() }),
      output: z.object({ id: z.uuid(), name: z.string(), tags: z.array(z.string()) }),
    },
  },
  publishes: [],
  subscribes: [],
  calls: [],
  routes: [],
});
const reader = defineService({ ...shop, name: "catalog", operations: {}, calls: ["auth"] });
const permissions = permissionsOf([shop, reader]);

const id = Bun.randomUUIDv7();
const answer = { id, name: "A film of some length", tags: ["sea", "summer"] };

/** A round trip over the bus against a bare NATS request, both between two connections of one process to one broker. */
export async function benchBus(): Promise<Figure[]> {
  const nats = await startTestNats(permissions);
  const bare = await openBare(nats);
  const bus = await openBus(nats);
  try {
    const figures: Figure[] = [];
    for (const callers of CALLERS) {
      const rates = { bare: [] as number[], messages: [] as number[], calls: [] as number[] };
      for (let run = 0; run <= RUNS; run++) {
        const measured = {
          bare: await rateOf(callers, bare.call),
          messages: await rateOf(callers, bus.message),
          calls: await rateOf(callers, bus.call),
        };
        // The first run warms up.
        if (run > 0) for (const kind of ["bare", "messages", "calls"] as const) rates[kind].push(measured[kind]);
      }
      const who = callers === 1 ? "1 caller" : `${callers} callers`;
      const perSecond = (kind: keyof typeof rates) => `${Math.round(median(rates[kind])).toLocaleString("en")}/s`;
      const ratio = (kind: keyof typeof rates) => median(rates[kind].map((rate, run) => (rates.bare[run] ?? 0) / rate));
      figures.push(figure(`bare NATS request, ${who}`, perSecond("bare")));
      figures.push(figure(`bus call with both schemas checked on both sides, ${who}`, perSecond("calls")));
      figures.push(against(`bus round trip against a bare request, ${who}`, ratio("messages"), "×", { atMost: 1.3 }));
      figures.push(figure(`bus call against a bare request, ${who}`, `${ratio("calls").toFixed(2)} ×`));
    }
    return figures;
  } finally {
    await bus.close();
    await bare.close();
    await nats.close();
  }
}

async function openBare(nats: TestNats) {
  const [server, client] = await Promise.all(
    (["auth", "catalog"] as const).map((service) => {
      const { user, password: pass } = nats.loginOf(service);
      return connect({ servers: nats.server, user, pass, inboxPrefix: subjects.inbox(service) });
    }),
  );
  const body = JSON.stringify(answer);
  const subject = subjects.call("auth", "catalog", "bare");
  server?.subscribe(subject, { callback: (_error, message) => void message.respond(body) });
  await server?.flush();
  return {
    call: async () => JSON.parse((await client?.request(subject, JSON.stringify({ id })))?.string() ?? ""),
    close: () => Promise.all([server?.close(), client?.close()]),
  };
}

async function openBus(nats: TestNats) {
  const access = { servers: [nats.server], tls: false, ca: null, loginOf: nats.loginOf, onState: () => undefined };
  const bus = new NatsBus({ access, permissions, balance: "round-robin", onHandlerFailure: () => undefined });
  await serveContract(await bus.connect({ service: "auth", instance: "1" }), shop, { find: async () => answer });
  const client = await bus.connect({ service: "catalog", instance: "1" });
  const proxy = proxyOf(client, shop);
  const plain = await bus.connect({ service: "auth", instance: "plain" });
  const body = JSON.stringify(answer);
  await plain.serve(async () => body);
  const target = { service: "auth", instance: "plain" } as const;
  return {
    message: async () => JSON.parse(await client.request(target, "find", JSON.stringify({ id }), { timeoutMs: 5_000 })),
    call: () => proxy.find({ id }, { instance: "1" }),
    close: () => bus.close(),
  };
}

/** Calls in a second, with so many under way at once. */
async function rateOf(callers: number, call: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  let calls = 0;
  const caller = async () => {
    while (performance.now() - begin < RUN_MS) {
      await call();
      calls++;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return calls / ((performance.now() - begin) / 1000);
}
