import type { ServiceName } from "./contract.ts";

/** Who is on the bus: a service, and which of its instances. */
export interface BusIdentity {
  readonly service: ServiceName;
  readonly instance: string;
}

/** Where a request goes: to any live instance, or to the one named. */
export interface BusTarget {
  readonly service: ServiceName;
  readonly instance?: string;
}

export interface RequestOptions {
  /** After this many milliseconds the request fails with `BusTimeoutError`. */
  readonly timeoutMs: number;
  /** Aborting it fails the request at once and aborts the `signal` its handler was given. */
  readonly signal?: AbortSignal;
}

export interface RequestContext {
  readonly caller: BusIdentity;
  /** Aborted when the caller gave up or its time is over. */
  readonly signal: AbortSignal;
  /** When its time is over, by `performance.now()`. */
  readonly deadlineMs: number;
}

export type RequestHandler = (operation: string, body: string, context: RequestContext) => Promise<string>;
/** `sender` is the service that published it: the bus vouches for that. */
export type EventHandler = (body: string, key: string | null, sender: ServiceName) => Promise<void> | void;
export type Unsubscribe = () => Promise<void>;

/** The largest body that crosses the bus, in bytes; a broker may allow less. */
export const MESSAGE_BYTES_MAX = 4 << 20;

/**
 * While there is no broker (`hears` is `nothing`) nobody can say that what was known has changed: it may be relied on for so long
 * after it was last asked for, in milliseconds.
 */
export const STANDING_MS = 3_600_000;

export interface SubscribeOptions {
  /**
   * The subscription is the service's, not the instance's: each event is handled by one live instance, and one that is
   * published while none is there waits until one is. Events come in order, at least once: what a handler throws is
   * logged and the event comes again. Only for topics that the contract names in `durable`.
   */
  readonly durable?: boolean;
}

/**
 * One member's link to the bus. Bodies are encoded text: the bus never looks inside. Whoever is not in the
 * permission table for an operation or topic gets `BusForbiddenError`.
 */
export interface BusConnection {
  readonly identity: BusIdentity;
  /**
   * Sends a request and waits for the reply. Requests without an instance go round-robin over the live ones.
   * Throws `ServiceUnavailableError` when nobody serves or the instance goes away, `BusTimeoutError`,
   * `MessageTooLargeError`, or the signal's reason.
   */
  request(target: BusTarget, operation: string, body: string, options: RequestOptions): Promise<string>;
  /**
   * Answers requests for this connection's own service until the result is called or the connection closes. What the
   * handler throws goes to the bus's log; the caller only gets `HandlerFailedError`.
   */
  serve(handler: RequestHandler): Promise<Unsubscribe>;
  /** Delivers to all subscribers there are now; resolves when the bus has accepted it, not when they have run. */
  publish(topic: string, key: string | null, body: string): Promise<void>;
  /**
   * Receives what is published from now on; with a key only that key's events, with null all of the topic.
   * A handler that throws is logged and stays subscribed. Events of one publisher arrive in order.
   */
  subscribe(topic: string, key: string | null, handler: EventHandler, options?: SubscribeOptions): Promise<Unsubscribe>;
  /**
   * Calls back each time events may have been missed, because the way to the broker was cut for a while: what was
   * learnt from events must be read anew. Never in a single process.
   */
  onInterruption(handler: () => void): () => void;
  /**
   * Whether what was published until a moment ago (a second at most) has arrived here. `nothing`: the broker is not there, so
   * that nobody can have published anything. `unknown`: this member may be cut off while others talk.
   */
  hears(): "all" | "nothing" | "unknown";
  /** Whether an instance that answers for this service was heard of lately: one that this member may call. */
  knows(service: ServiceName): boolean;
  /** Takes no more calls, and resolves when those that run have been answered, or after so many milliseconds. */
  retire(withinMs: number): Promise<void>;
  /**
   * Ends all subscriptions and serving. Calls it waits for, and calls it is answering, fail with `temporary-unavailable`
   * at once; handlers that run may end within a second. What is asked of it afterwards throws `BusClosedError`.
   * Calling it again does nothing.
   */
  close(): Promise<void>;
}

/** The port that the services talk through. `src/adapters/memory` and `src/adapters/nats` implement it. */
export interface Bus {
  connect(identity: BusIdentity): Promise<BusConnection>;
  /** Closes every connection. */
  close(): Promise<void>;
}
