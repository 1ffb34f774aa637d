import type { Msg } from "@nats-io/nats-core";
import type { Balancer } from "../../bus/balance.ts";
import type { BusIdentity, BusTarget, RequestOptions } from "../../bus/bus.ts";
import type { ServiceName } from "../../bus/contract.ts";
import {
  BusTimeoutError,
  HandlerFailedError,
  MessageTooLargeError,
  ServiceUnavailableError,
} from "../../bus/errors.ts";
import { CANCEL, encodeRequest, PING, type Reply, readReply } from "./call-messages.ts";
import { type LiveInstance, LiveInstances } from "./live-instances.ts";
import type { NatsLink } from "./nats-link.ts";
import { isMeantFor, subjects } from "./nats-subjects.ts";

/** Calls that last longer than this make us look whether their instance is still there, this often. */
const WATCH_MS = 500;
/** How often heartbeats are missed. */
const SWEEP_MS = 100;
/** Instances that turn out to be gone when a call is sent there: after so many the caller is told. */
const MOST_ATTEMPTS = 20;
/** Within this time after the broker has come back a service may still be on its way to it, in milliseconds. */
const SETTLE_MS = 3_000;
const SETTLE_STEP_MS = 50;

/** Nobody listens where the message went: the handler has not seen it. */
const NOBODY = Symbol("nobody");

interface Pending {
  /** Whom it was sent to; null when anybody may answer. */
  readonly to: LiveInstance | null;
  readonly subject: string;
  readonly sentAtMs: number;
  /** Whether it only asks who is there. */
  readonly isPing: boolean;
  resolve(reply: Reply | typeof NOBODY): void;
  reject(error: unknown): void;
}

export interface OutgoingCallsOptions {
  readonly identity: BusIdentity;
  readonly link: NatsLink;
  readonly balancer: Balancer;
  /** The services it may call. */
  readonly callees: readonly ServiceName[];
}

/** The calls a member makes: who gets them, and what becomes of them. */
export class OutgoingCalls {
  readonly #options: OutgoingCallsOptions;
  readonly #live = new LiveInstances((gone) => this.#failCallsOf(gone));
  readonly #pending = new Map<string, Pending>();
  readonly #inbox: string;
  #last = 0;
  #backAtMs = Number.NEGATIVE_INFINITY;
  #timers: readonly Timer[] = [];

  constructor(options: OutgoingCallsOptions) {
    this.#options = options;
    this.#inbox = `${subjects.inbox(options.identity.service)}.${crypto.randomUUID().replaceAll("-", "")}`;
  }

  /** Begins to listen for answers, and for who is there. */
  start(): void {
    const { link, callees } = this.#options;
    link.connection.subscribe(`${this.#inbox}.*`, { callback: (_error, message) => this.#answered(message) });
    for (const service of callees) {
      link.connection.subscribe(subjects.live(service), {
        callback: (_error, message) => {
          if (!isMeantFor(subjects.live(service), message.subject)) return;
          const text = message.string();
          if (text.startsWith("+")) this.#live.heard(service, text.slice(1));
          else this.#live.left(service, text.slice(1));
        },
      });
    }
    this.#askWho();
    link.onCut(() => this.fail((pending) => new ServiceUnavailableError(this.#calleeOf(pending))));
    link.onBack(() => {
      this.#backAtMs = performance.now();
      this.#live.forgive();
      this.#askWho();
    });
    this.#timers = [
      setInterval(() => this.#lookAfter(), WATCH_MS),
      setInterval(() => this.#options.link.isOnline && this.#live.sweep(), SWEEP_MS),
    ];
    for (const timer of this.#timers) timer.unref?.();
  }

  /** A request as the port describes it. */
  async request(target: BusTarget, operation: string, body: string, options: RequestOptions): Promise<string> {
    const { timeoutMs, signal } = options;
    const deadlineMs = performance.now() + timeoutMs;
    const bound = { deadlineMs, signal, late: () => new BusTimeoutError(target.service, operation, timeoutMs) };
    this.#options.link.requireSize(`${target.service}.${operation}`, body);
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const { link } = this.#options;
      if (!link.isOnline) await link.online(Math.min(link.patienceMs, deadlineMs - performance.now()), signal);
      const to = await this.#choose(target, bound);
      to.outstanding++;
      const leftMs = Math.max(0, deadlineMs - performance.now());
      const payload = encodeRequest(operation, this.#options.identity.instance, leftMs, body);
      try {
        const reply = await this.#send(this.#subjectOf(to), payload, to, bound);
        if (reply !== NOBODY) return readAnswer(reply, `${target.service}.${operation}`, to);
      } finally {
        to.outstanding--;
      }
      this.#live.gone(to.service, to.instance);
      if (target.instance !== undefined) break;
    }
    throw new ServiceUnavailableError(target.service, target.instance);
  }

  /** Fails every call that is under way, and has its handler stop. */
  fail(errorOf: (pending: { readonly subject: string }) => unknown): void {
    for (const [id, pending] of [...this.#pending]) this.#giveUp(id, pending, errorOf(pending));
  }

  /** Whether anybody who answers for this service was heard of lately. */
  knows(service: ServiceName): boolean {
    return this.#live.of(service).length > 0;
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  async #choose({ service, instance }: BusTarget, bound: Bound): Promise<LiveInstance> {
    const live = this.#live.of(service);
    if (instance !== undefined)
      return live.find((one) => one.instance === instance) ?? { service, instance, outstanding: 0, heardAtMs: 0 };
    const picked = this.#options.balancer.pick(service, live, ({ outstanding }) => outstanding);
    if (picked) return picked;
    // Nobody has been heard of yet: whoever is there says who it is.
    for (;;) {
      const reply = await this.#send(subjects.any(service, this.#options.identity.service), PING, null, bound);
      if (reply !== NOBODY && reply.kind === "here") return this.#live.heard(service, reply.instance);
      const until = Math.min(this.#backAtMs + SETTLE_MS, bound.deadlineMs);
      if (performance.now() + SETTLE_STEP_MS > until) throw new ServiceUnavailableError(service);
      // The broker has just come back, and others find their way to it a little later than this one.
      await Bun.sleep(SETTLE_STEP_MS);
    }
  }

  #send(subject: string, payload: string, to: LiveInstance | null, bound: Bound): Promise<Reply | typeof NOBODY> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply | typeof NOBODY>();
    const id = (++this.#last).toString(36);
    const { deadlineMs, signal, late } = bound;
    const pending: Pending = { to, subject, sentAtMs: performance.now(), isPing: payload === PING, resolve, reject };
    const timer = setTimeout(() => this.#giveUp(id, pending, late()), Math.max(0, deadlineMs - performance.now()));
    const onAbort = () => this.#giveUp(id, pending, signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#pending.set(id, pending);
    this.#options.link.connection.publish(subject, payload, { reply: `${this.#inbox}.${id}` });
    return promise.finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      this.#pending.delete(id);
    });
  }

  #giveUp(id: string, pending: Pending, error: unknown): void {
    if (!this.#pending.delete(id)) return;
    pending.reject(error);
    if (pending.to && !pending.isPing && this.#options.link.isOnline)
      this.#options.link.connection.publish(pending.subject, `${CANCEL}${this.#inbox}.${id}`);
  }

  #answered(message: Msg): void {
    const pending = this.#pending.get(message.subject.slice(this.#inbox.length + 1));
    if (!pending) return;
    const isNobody = message.data.length === 0 && message.headers?.code === 503;
    if (isNobody && pending.isPing && pending.to) this.#live.gone(pending.to.service, pending.to.instance);
    pending.resolve(isNobody ? NOBODY : readReply(message.data));
  }

  /** Whoever has kept a call for a while is asked whether it is there; a killed one cannot say goodbye. */
  #lookAfter(): void {
    if (!this.#options.link.isOnline) return;
    const before = performance.now() - WATCH_MS;
    const slow = new Set<LiveInstance>();
    for (const { to, sentAtMs, isPing } of this.#pending.values()) if (to && !isPing && sentAtMs < before) slow.add(to);
    for (const to of slow) {
      const bound = { deadlineMs: performance.now() + WATCH_MS, late: () => NOBODY };
      void this.#send(this.#subjectOf(to), PING, to, bound).then(
        (reply) => {
          if (reply === NOBODY) this.#failCallsOf(to);
        },
        // No answer yet: an instance that hangs is told by its heartbeats.
        () => undefined,
      );
    }
  }

  #failCallsOf(gone: LiveInstance): void {
    for (const [id, pending] of [...this.#pending])
      if (pending.to?.service === gone.service && pending.to.instance === gone.instance)
        this.#giveUp(id, pending, new ServiceUnavailableError(gone.service));
  }

  #askWho(): void {
    for (const service of this.#options.callees) this.#options.link.connection.publish(subjects.who(service));
  }

  #subjectOf({ service, instance }: LiveInstance): string {
    return subjects.call(service, this.#options.identity.service, instance);
  }

  #calleeOf({ subject }: { readonly subject: string }): string {
    return subject.split(".")[2] ?? "a service";
  }
}

interface Bound {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly late: () => unknown;
}

function readAnswer(reply: Reply, where: string, to: LiveInstance): string {
  switch (reply.kind) {
    case "value":
      return reply.body;
    case "too-large":
      throw new MessageTooLargeError(`The answer of ${where}`, reply.bytes, reply.most);
    case "failed":
      throw new HandlerFailedError(where);
    default:
      throw new ServiceUnavailableError(to.service, to.instance);
  }
}
