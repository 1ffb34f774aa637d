import type {
  Bus,
  BusConnection,
  BusIdentity,
  BusTarget,
  EventHandler,
  RequestHandler,
  RequestOptions,
  Unsubscribe,
} from "../../bus/bus.ts";
import { BusForbiddenError, BusTimeoutError, ServiceUnavailableError } from "../../bus/errors.ts";
import type { PermissionTable } from "../../bus/permissions.ts";

interface Subscription {
  readonly topic: string;
  readonly key: string | null;
  readonly handler: EventHandler;
  /** The tail of this subscriber's queue: events are handled one after the other, as they came. */
  tail: Promise<void>;
}

interface Server {
  readonly identity: BusIdentity;
  readonly handler: RequestHandler;
}

/** Called with what an event handler threw; the subscription goes on. */
export type HandlerFailure = (topic: string, error: unknown) => void;

/** The bus of a single process. Messages cross it as encoded text, exactly as they would cross a network. */
export class MemoryBus implements Bus {
  readonly #permissions: PermissionTable;
  readonly #onHandlerFailure: HandlerFailure;
  readonly #subscriptions = new Set<Subscription>();
  readonly #servers: Server[] = [];
  readonly #connections = new Set<MemoryBusConnection>();
  #turn = 0;

  constructor(permissions: PermissionTable, onHandlerFailure: HandlerFailure) {
    this.#permissions = permissions;
    this.#onHandlerFailure = onHandlerFailure;
  }

  async connect(identity: BusIdentity): Promise<BusConnection> {
    const connection = new MemoryBusConnection(this, identity);
    this.#connections.add(connection);
    return connection;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#connections].map((connection) => connection.close()));
  }

  forget(connection: MemoryBusConnection): void {
    this.#connections.delete(connection);
  }

  require(identity: BusIdentity, verb: "publish" | "subscribe" | "call", name: string): void {
    const granted: ReadonlySet<string> | undefined = this.#permissions.get(identity.service)?.[verb];
    if (!granted?.has(name)) throw new BusForbiddenError(identity.service, verb, name);
  }

  addServer(server: Server): () => void {
    this.#servers.push(server);
    return () => {
      const index = this.#servers.indexOf(server);
      if (index >= 0) this.#servers.splice(index, 1);
    };
  }

  pickServer(target: BusTarget): Server {
    const live = this.#servers.filter(
      ({ identity }) =>
        identity.service === target.service && (target.instance === undefined || identity.instance === target.instance),
    );
    const server = live[this.#turn++ % live.length];
    if (!server) throw new ServiceUnavailableError(target.service, target.instance);
    return server;
  }

  addSubscription(subscription: Subscription): () => void {
    this.#subscriptions.add(subscription);
    return () => this.#subscriptions.delete(subscription);
  }

  deliver(topic: string, key: string | null, body: string): void {
    for (const subscription of this.#subscriptions) {
      if (subscription.topic !== topic) continue;
      if (subscription.key !== null && subscription.key !== key) continue;
      subscription.tail = subscription.tail.then(async () => {
        if (!this.#subscriptions.has(subscription)) return;
        try {
          await subscription.handler(body, key);
        } catch (error) {
          this.#onHandlerFailure(topic, error);
        }
      });
    }
  }
}

class MemoryBusConnection implements BusConnection {
  readonly identity: BusIdentity;
  readonly #bus: MemoryBus;
  readonly #ends = new Set<() => void>();

  constructor(bus: MemoryBus, identity: BusIdentity) {
    this.#bus = bus;
    this.identity = identity;
  }

  async request(target: BusTarget, operation: string, body: string, options: RequestOptions): Promise<string> {
    this.#bus.require(this.identity, "call", target.service);
    const server = this.#bus.pickServer(target);
    const abort = new AbortController();
    const { promise, reject, resolve } = Promise.withResolvers<string>();
    const fail = (error: unknown) => {
      abort.abort(error);
      reject(error);
    };
    const timer = setTimeout(
      () => fail(new BusTimeoutError(target.service, operation, options.timeoutMs)),
      options.timeoutMs,
    );
    const onAbort = () => fail(options.signal?.reason);
    options.signal?.addEventListener("abort", onAbort, { once: true });
    if (options.signal?.aborted) onAbort();
    else server.handler(operation, body, { caller: this.identity, signal: abort.signal }).then(resolve, reject);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", onAbort);
    }
  }

  async serve(handler: RequestHandler): Promise<Unsubscribe> {
    return this.#until(this.#bus.addServer({ identity: this.identity, handler }));
  }

  async publish(topic: string, key: string | null, body: string): Promise<void> {
    this.#bus.require(this.identity, "publish", topic);
    this.#bus.deliver(topic, key, body);
  }

  async subscribe(topic: string, key: string | null, handler: EventHandler): Promise<Unsubscribe> {
    this.#bus.require(this.identity, "subscribe", topic);
    return this.#until(this.#bus.addSubscription({ topic, key, handler, tail: Promise.resolve() }));
  }

  async close(): Promise<void> {
    for (const end of this.#ends) end();
    this.#ends.clear();
    this.#bus.forget(this);
  }

  #until(end: () => void): Unsubscribe {
    this.#ends.add(end);
    return async () => {
      end();
      this.#ends.delete(end);
    };
  }
}
