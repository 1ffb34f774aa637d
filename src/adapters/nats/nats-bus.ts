import { type Balance, Balancer } from "../../bus/balance.ts";
import type {
  Bus,
  BusConnection,
  BusIdentity,
  BusTarget,
  EventHandler,
  RequestHandler,
  RequestOptions,
  SubscribeOptions,
  Unsubscribe,
} from "../../bus/bus.ts";
import { type ServiceName, serviceNames } from "../../bus/contract.ts";
import { BusClosedError, BusForbiddenError, ServiceUnavailableError } from "../../bus/errors.ts";
import { durableTopics, type PermissionTable } from "../../bus/permissions.ts";
import { TemporaryUnavailableError } from "../../errors.ts";
import { DurableSubscription } from "./durable-subscription.ts";
import { EventStore } from "./event-store.ts";
import { EventSubscription } from "./event-subscription.ts";
import { IncomingCalls } from "./incoming-calls.ts";
import { type NatsAccess, NatsLink } from "./nats-link.ts";
import { subjects } from "./nats-subjects.ts";
import { OutgoingCalls } from "./outgoing-calls.ts";

/** How long an event may wait for the broker to take it. */
const PUBLISH_WITHIN_MS = 10_000;
const PUBLISH_AGAIN_MS = 100;
const STORED_WITHIN_MS = 1_000;
/** How long a closing member waits for its running handlers. */
const CLOSE_WAIT_MS = 1_000;

export interface NatsBusOptions {
  readonly access: NatsAccess;
  readonly permissions: PermissionTable;
  readonly balance: Balance;
  /** Called with what a handler threw, and the topic or operation it was for. */
  readonly onHandlerFailure: (where: string, error: unknown) => void;
}

/**
 * The bus between processes. Each member has a connection of its own, with its service's credentials; the broker
 * enforces the same permissions that are checked here first.
 */
export class NatsBus implements Bus {
  readonly #options: NatsBusOptions;
  readonly #closed = new AbortController();
  readonly #connections = new Set<NatsBusConnection>();

  constructor(options: NatsBusOptions) {
    this.#options = options;
  }

  async connect(identity: BusIdentity): Promise<BusConnection> {
    const link = await NatsLink.open(identity, this.#options.access, this.#closed.signal);
    const connection = new NatsBusConnection(identity, link, this.#options);
    this.#connections.add(connection);
    try {
      await connection.start();
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.all([...this.#connections].map((connection) => connection.close()));
  }
}

class NatsBusConnection implements BusConnection {
  readonly identity: BusIdentity;
  readonly #link: NatsLink;
  readonly #options: NatsBusOptions;
  readonly #calls: OutgoingCalls;
  readonly #durable: ReadonlySet<string>;
  readonly #subscriptions = new Set<EventSubscription | DurableSubscription>();
  readonly #interrupted = new Set<() => void>();
  #serving: IncomingCalls | null = null;
  #store: EventStore | null = null;
  #closed: Promise<void> | null = null;

  constructor(identity: BusIdentity, link: NatsLink, options: NatsBusOptions) {
    this.identity = identity;
    this.#link = link;
    this.#options = options;
    this.#durable = durableTopics(options.permissions);
    const callable: ReadonlySet<string> | undefined = options.permissions.get(identity.service)?.call;
    const callees = serviceNames.filter((name) => callable?.has(name));
    this.#calls = new OutgoingCalls({ identity, link, balancer: new Balancer(options.balance), callees });
    link.onBack(() => {
      for (const handler of this.#interrupted) handler();
    });
  }

  async start(): Promise<void> {
    this.#calls.start();
    const granted = this.#options.permissions.get(this.identity.service);
    const publishesDurable = [...this.#durable].some((topic) => granted?.publish.has(topic));
    if (publishesDurable || (granted?.durable.size ?? 0) > 0)
      this.#store = await EventStore.open(this.#link, this.#durable, this.identity.service);
    await this.#link.connection.flush();
  }

  async request(target: BusTarget, operation: string, body: string, options: RequestOptions): Promise<string> {
    this.#requireOpen();
    this.#require("call", target.service);
    options.signal?.throwIfAborted();
    return this.#calls.request(target, operation, body, options);
  }

  async serve(handler: RequestHandler): Promise<Unsubscribe> {
    this.#requireOpen();
    const { service } = this.identity;
    if (!this.#options.permissions.has(service)) throw new BusForbiddenError(service, "serve", service);
    if (this.#serving) throw new Error(`This member answers for ${service} already.`);
    const serving = new IncomingCalls({
      identity: this.identity,
      link: this.#link,
      handler,
      report: this.#options.onHandlerFailure,
    });
    this.#serving = serving;
    await serving.start();
    return async () => {
      await serving.stop();
      if (this.#serving === serving) this.#serving = null;
    };
  }

  async publish(topic: string, key: string | null, body: string): Promise<void> {
    this.#requireOpen();
    this.#require("publish", topic);
    this.#link.requireSize(topic, body);
    const subject = subjects.event(topic, this.identity.service, key);
    const until = performance.now() + PUBLISH_WITHIN_MS;
    const msgID = this.#durable.has(topic) ? crypto.randomUUID() : null;
    for (;;) {
      const leftMs = until - performance.now();
      if (!this.#link.isOnline) await this.#link.online(leftMs);
      try {
        return await this.#hand(subject, body, msgID, leftMs);
      } catch (cause) {
        this.#requireOpen();
        if (performance.now() + PUBLISH_AGAIN_MS > until)
          throw new TemporaryUnavailableError(`The broker does not take events of ${topic}.`, { cause });
      }
      await Bun.sleep(PUBLISH_AGAIN_MS);
      if (msgID !== null) await this.#store?.ensure().catch(() => undefined);
    }
  }

  async subscribe(
    topic: string,
    key: string | null,
    handler: EventHandler,
    options: SubscribeOptions = {},
  ): Promise<Unsubscribe> {
    this.#requireOpen();
    this.#require(options.durable ? "durable" : "subscribe", topic);
    const subscription = this.#subscriptionOf(topic, key, handler, options.durable ?? false);
    this.#subscriptions.add(subscription);
    await subscription.start();
    return async () => {
      await subscription.stop();
      this.#subscriptions.delete(subscription);
    };
  }

  onInterruption(handler: () => void): () => void {
    this.#interrupted.add(handler);
    return () => void this.#interrupted.delete(handler);
  }

  hears(): "all" | "nothing" | "unknown" {
    return this.#link.hears();
  }

  knows(service: ServiceName): boolean {
    return this.#calls.knows(service);
  }

  async retire(withinMs: number): Promise<void> {
    const serving = this.#serving;
    if (!serving) return;
    await serving.stop();
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, withinMs);
    await Promise.race([serving.answered(), late.promise]);
    clearTimeout(timer);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { service, instance } = this.identity;
    this.#interrupted.clear();
    this.#calls.fail(() => new ServiceUnavailableError(service, instance));
    this.#calls.stop();
    const ending = [...this.#subscriptions].map((subscription) => subscription.stop());
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, CLOSE_WAIT_MS);
    const served = this.#serving ? [this.#serving.failRunning(), this.#serving.stop()] : [];
    await Promise.race([Promise.allSettled([...ending, ...served]), late.promise]);
    clearTimeout(timer);
    await this.#link.close();
  }

  /** Resolves when the broker has it. */
  async #hand(subject: string, body: string, msgID: string | null, timeoutMs: number): Promise<void> {
    if (msgID !== null && this.#store) {
      // An answer that got lost with the broker is not waited for: it is sent again, and kept once.
      const timeout = Math.max(1, Math.min(timeoutMs, STORED_WITHIN_MS));
      await this.#store.client.publish(subject, body, { msgID, timeout, retries: 1 });
      return;
    }
    this.#link.connection.publish(subject, body);
    await this.#link.connection.flush();
  }

  #subscriptionOf(topic: string, key: string | null, handler: EventHandler, durable: boolean) {
    const report = (error: unknown) => this.#options.onHandlerFailure(topic, error);
    const link = this.#link;
    if (durable && this.#store) {
      const { service } = this.identity;
      return new DurableSubscription({ service, topic, link, store: this.#store, handler, report });
    }
    const subject = key === null ? subjects.events(topic) : subjects.event(topic, "*", key);
    return new EventSubscription(link, subject, handler, report);
  }

  #require(verb: "publish" | "subscribe" | "durable" | "call", name: string): void {
    const { service } = this.identity;
    const granted: ReadonlySet<string> | undefined = this.#options.permissions.get(service)?.[verb];
    if (!granted?.has(name)) throw new BusForbiddenError(service, verb === "durable" ? "subscribe" : verb, name);
  }

  #requireOpen(): void {
    if (this.#closed) throw new BusClosedError(this.identity.service);
  }
}
