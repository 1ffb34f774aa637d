import { type Balance, Balancer } from "../../bus/balance.ts";
import {
  type Bus,
  type BusConnection,
  type BusIdentity,
  type BusTarget,
  type EventHandler,
  MESSAGE_BYTES_MAX,
  type RequestContext,
  type RequestHandler,
  type RequestOptions,
  type SubscribeOptions,
  type Unsubscribe,
} from "../../bus/bus.ts";
import { detached } from "../../bus/call-in-hand.ts";
import type { ServiceName } from "../../bus/contract.ts";
import {
  BusClosedError,
  BusForbiddenError,
  BusTimeoutError,
  HandlerFailedError,
  MessageTooLargeError,
  ServiceUnavailableError,
} from "../../bus/errors.ts";
import type { PermissionTable } from "../../bus/permissions.ts";
import { DurableQueue } from "./durable-queue.ts";

/** How long a closing member waits for its running handlers. */
const CLOSE_WAIT_MS = 1_000;

interface Subscription {
  readonly topic: string;
  readonly key: string | null;
  readonly handler: EventHandler;
  /** The tail of this subscriber's queue: events are handled one after the other, as they came. */
  tail: Promise<void>;
}

interface Server {
  readonly connection: MemoryBusConnection;
  readonly handler: RequestHandler;
  /** Calls it is busy with. */
  outstanding: number;
}

/** Called with what a handler threw, and the topic or operation it was for. */
export type HandlerFailure = (where: string, error: unknown) => void;

/** The bus of a single process. Messages cross it as encoded text, exactly as they would cross a network. */
export class MemoryBus implements Bus {
  readonly report: HandlerFailure;
  readonly #permissions: PermissionTable;
  readonly #subscriptions = new Set<Subscription>();
  readonly #servers: Server[] = [];
  readonly #connections = new Set<MemoryBusConnection>();
  /** By service and topic. */
  readonly #durables = new Map<string, { readonly topic: string; readonly queue: DurableQueue }>();
  readonly #balancer: Balancer;

  constructor(permissions: PermissionTable, onHandlerFailure: HandlerFailure, balance: Balance = "round-robin") {
    this.#permissions = permissions;
    this.#balancer = new Balancer(balance);
    this.report = onHandlerFailure;
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

  require(identity: BusIdentity, verb: "publish" | "subscribe" | "durable" | "call", name: string): void {
    const granted: ReadonlySet<string> | undefined = this.#permissions.get(identity.service)?.[verb];
    if (!granted?.has(name))
      throw new BusForbiddenError(identity.service, verb === "durable" ? "subscribe" : verb, name);
  }

  addServer(server: Server): () => void {
    this.#servers.push(server);
    return () => {
      const index = this.#servers.indexOf(server);
      if (index >= 0) this.#servers.splice(index, 1);
    };
  }

  pickServer({ service, instance }: BusTarget): Server {
    const live = this.#servers.filter(
      ({ connection: { identity } }) =>
        identity.service === service && (instance === undefined || identity.instance === instance),
    );
    const server = this.#balancer.pick(service, live, ({ outstanding }) => outstanding);
    if (!server) throw new ServiceUnavailableError(service, instance);
    return server;
  }

  isServed(service: ServiceName): boolean {
    return this.#servers.some(({ connection }) => connection.identity.service === service);
  }

  addSubscription(subscription: Subscription): () => void {
    this.#subscriptions.add(subscription);
    return () => this.#subscriptions.delete(subscription);
  }

  addDurable({ service }: BusIdentity, topic: string, handler: EventHandler): () => Promise<void> {
    const name = `${service}/${topic}`;
    const known = this.#durables.get(name) ?? { topic, queue: new DurableQueue((error) => this.report(topic, error)) };
    this.#durables.set(name, known);
    return known.queue.add(handler);
  }

  /** Who hears an event is not in the publisher's hands, whatever call that was answering. */
  deliver(topic: string, key: string | null, body: string, sender: ServiceName): void {
    detached(() => this.#deliver(topic, key, body, sender));
  }

  #deliver(topic: string, key: string | null, body: string, sender: ServiceName): void {
    for (const durable of this.#durables.values()) if (durable.topic === topic) durable.queue.push(body, key, sender);
    for (const subscription of this.#subscriptions) {
      if (subscription.topic !== topic) continue;
      if (subscription.key !== null && subscription.key !== key) continue;
      subscription.tail = subscription.tail.then(async () => {
        if (!this.#subscriptions.has(subscription)) return;
        try {
          await subscription.handler(body, key, sender);
        } catch (error) {
          this.report(topic, error);
        }
      });
    }
  }
}

class MemoryBusConnection implements BusConnection {
  readonly identity: BusIdentity;
  readonly #bus: MemoryBus;
  readonly #ends = new Set<() => void>();
  /** End the serving alone. */
  readonly #servingEnds = new Set<() => void>();
  readonly #durableEnds = new Set<() => Promise<void>>();
  readonly #subscriptions = new Set<Subscription>();
  /** Fails the calls this member waits for and those it is answering. */
  readonly #callFailures = new Set<(error: Error) => void>();
  readonly #answering = new Set<Promise<unknown>>();
  #closed: Promise<void> | null = null;

  constructor(bus: MemoryBus, identity: BusIdentity) {
    this.#bus = bus;
    this.identity = identity;
  }

  async request(target: BusTarget, operation: string, body: string, options: RequestOptions): Promise<string> {
    this.#requireOpen();
    this.#bus.require(this.identity, "call", target.service);
    const { timeoutMs, signal } = options;
    signal?.throwIfAborted();
    requireSize(`${target.service}.${operation}`, body);
    const server = this.#bus.pickServer(target);
    const abort = new AbortController();
    const { promise, reject, resolve } = Promise.withResolvers<string>();
    const fail = (error: unknown) => {
      abort.abort(error);
      reject(error);
    };
    const timer = setTimeout(() => fail(new BusTimeoutError(target.service, operation, timeoutMs)), timeoutMs);
    const onAbort = () => fail(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    const untie = [this.#failWith(fail), server.connection.#failWith(fail)];
    server.outstanding++;
    const context = { caller: { ...this.identity }, signal: abort.signal, deadlineMs: performance.now() + timeoutMs };
    server.connection.#answer(server.handler, operation, body, context).then(resolve, reject);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      server.outstanding--;
      for (const end of untie) end();
    }
  }

  async serve(handler: RequestHandler): Promise<Unsubscribe> {
    this.#requireOpen();
    const end = this.#bus.addServer({ connection: this, handler, outstanding: 0 });
    this.#servingEnds.add(end);
    return this.#until(end);
  }

  async publish(topic: string, key: string | null, body: string): Promise<void> {
    this.#requireOpen();
    this.#bus.require(this.identity, "publish", topic);
    requireSize(topic, body);
    this.#bus.deliver(topic, key, body, this.identity.service);
  }

  async subscribe(
    topic: string,
    key: string | null,
    handler: EventHandler,
    options: SubscribeOptions = {},
  ): Promise<Unsubscribe> {
    this.#requireOpen();
    this.#bus.require(this.identity, options.durable ? "durable" : "subscribe", topic);
    if (options.durable) {
      const end = this.#bus.addDurable(this.identity, topic, handler);
      this.#durableEnds.add(end);
      return end;
    }
    const subscription: Subscription = { topic, key, handler, tail: Promise.resolve() };
    this.#subscriptions.add(subscription);
    const end = this.#bus.addSubscription(subscription);
    return this.#until(() => {
      end();
      this.#subscriptions.delete(subscription);
    });
  }

  onInterruption(): () => void {
    return () => undefined;
  }

  hears(): "all" {
    return "all";
  }

  knows(service: ServiceName): boolean {
    return this.#bus.isServed(service);
  }

  async retire(withinMs: number): Promise<void> {
    for (const end of this.#servingEnds) end();
    await settledWithin(withinMs, this.#answering);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const durables = [...this.#durableEnds].map((end) => end());
    const running = [...[...this.#subscriptions].map(({ tail }) => tail), ...this.#answering, ...durables];
    for (const end of this.#ends) end();
    this.#ends.clear();
    const { service, instance } = this.identity;
    for (const fail of this.#callFailures) fail(new ServiceUnavailableError(service, instance));
    this.#bus.forget(this);
    await settledWithin(CLOSE_WAIT_MS, running);
  }

  /** Runs a handler for a call. What it throws is reported here and told the caller only as `internal`. */
  async #answer(handler: RequestHandler, operation: string, body: string, context: RequestContext): Promise<string> {
    const answer = Promise.try(handler, operation, body, context);
    this.#answering.add(answer);
    try {
      const reply = await answer;
      requireSize(`The answer of ${this.identity.service}.${operation}`, reply);
      return reply;
    } catch (error) {
      const where = `${this.identity.service}.${operation}`;
      if (error instanceof MessageTooLargeError) throw error;
      // A handler that was told to stop ends as it likes: its caller knows already.
      if (!context.signal.aborted) this.#bus.report(where, error);
      throw new HandlerFailedError(where);
    } finally {
      this.#answering.delete(answer);
    }
  }

  #requireOpen(): void {
    if (this.#closed) throw new BusClosedError(this.identity.service);
  }

  #failWith(fail: (error: Error) => void): () => void {
    this.#callFailures.add(fail);
    return () => this.#callFailures.delete(fail);
  }

  #until(end: () => void): Unsubscribe {
    this.#ends.add(end);
    return async () => {
      end();
      this.#ends.delete(end);
    };
  }
}

/** Waits until all of it is over, for so long at most. */
async function settledWithin(ms: number, work: Iterable<Promise<unknown>>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, ms);
  await Promise.race([Promise.allSettled(work), late.promise]);
  clearTimeout(timer);
}

function requireSize(where: string, body: string): void {
  // No text takes more than three bytes for each of its units.
  if (body.length * 3 <= MESSAGE_BYTES_MAX) return;
  const bytes = Buffer.byteLength(body);
  if (bytes > MESSAGE_BYTES_MAX) throw new MessageTooLargeError(where, bytes, MESSAGE_BYTES_MAX);
}
