import pino from "pino";
import { MemoryAttempts } from "../../src/adapters/memory/memory-attempts.ts";
import { MemoryBus } from "../../src/adapters/memory/memory-bus.ts";
import { migrate } from "../../src/adapters/sql/migrate.ts";
import { SqlAuthStore } from "../../src/adapters/sql/sql-auth-store.ts";
import { openSqlite } from "../../src/adapters/sqlite/sqlite-database.ts";
import { type AuthDependencies, startAuth } from "../../src/auth/auth-service.ts";
import { authContract } from "../../src/auth/contract.ts";
import { permissionsOf } from "../../src/bus/permissions.ts";
import { proxyOf } from "../../src/bus/proxy.ts";
import { contracts } from "../../src/contracts.ts";
import { BusAuthenticator } from "../../src/identity/bus-authenticator.ts";

const closers: (() => unknown)[] = [];

/** Closes what `openCluster` has opened since. */
export async function closeClusters(): Promise<void> {
  for (let close = closers.pop(); close; close = closers.pop()) await close();
}

export const password = "correct horse battery";

/** A bus and a database that several instances share. */
export async function openCluster(settings: Partial<AuthDependencies> = {}, path = ":memory:") {
  const { database } = openSqlite(path);
  closers.push(() => database.destroy());
  await migrate(database);
  const bus = new MemoryBus(permissionsOf(contracts), (_topic, error) => {
    throw error;
  });
  closers.push(() => bus.close());
  const store = new SqlAuthStore(database);
  const attempts = new MemoryAttempts();
  /** An auth instance with an authenticator of its own, as a process of its own would have. */
  const startInstance = async (
    instance: string,
    authSecret = "s".repeat(43),
    betterAuthDatabase: AuthDependencies["database"] = { db: database, type: "sqlite", transaction: true },
    own: Partial<AuthDependencies> = {},
  ) => {
    const authenticator = await BusAuthenticator.start(await bus.connect({ service: "main", instance }));
    const auth = await startAuth({
      connection: own.connection ?? (await bus.connect({ service: "auth", instance })),
      addresses: () => [],
      store,
      database: betterAuthDatabase,
      attempts,
      authSecret,
      registration: { mode: "open", defaultRole: "editor", firstNeedsCode: false },
      tokenLifetimeMs: 20_000,
      grantLifetimeMs: 60_000,
      keyLifetimeMs: 86_400_000,
      sessionLifetimeMs: 60_000,
      ...settings,
      ...own,
      applyRevocations: (revocations) => authenticator.apply(revocations),
    });
    closers.push(
      () => authenticator.close(),
      () => auth.close(),
    );
    return { auth, authenticator, send: sender(auth.routes, authenticator) };
  };
  const proxy = proxyOf(await bus.connect({ service: "streaming", instance: "caller" }), authContract);
  return { bus, database, store, startInstance, proxy };
}

export type Instance = Awaited<ReturnType<Awaited<ReturnType<typeof openCluster>>["startInstance"]>>;

/** Sends a request to an instance's routes as its listener would. */
function sender(routes: Awaited<ReturnType<typeof startAuth>>["routes"], authenticator: BusAuthenticator) {
  return async (method: string, path: string, headers: Record<string, string> = {}, body?: unknown) => {
    const request = new Request(`http://kinora.test${path}`, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const { createApp } = await import("../../src/http/app.ts");
    const app = createApp();
    app.use(async (c, next) => {
      c.set("log", pino({ level: "silent" }));
      c.set("principal", await authenticator.authenticate(c.req.raw));
      await next();
    });
    app.route("/", routes);
    return app.fetch(request, {
      clientAddress: "127.0.0.1",
      secure: false,
      fromThisMachine: true,
      stopping: new AbortController().signal,
      setIdleTimeout: () => undefined,
    });
  };
}

export async function signIn({ send }: Instance, username: string): Promise<string> {
  const response = await send("POST", "/api/session", {}, { username, password });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  return (response.headers.get("Set-Cookie") ?? "").split(";")[0] ?? "";
}

export const statusOf = async ({ send }: Instance, headers: Record<string, string>) =>
  (await send("GET", "/api/session", headers)).status;
