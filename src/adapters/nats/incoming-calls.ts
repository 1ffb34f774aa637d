import type { Msg, Subscription } from "@nats-io/nats-core";
import type { BusIdentity, RequestContext, RequestHandler } from "../../bus/bus.ts";
import { type ServiceName, serviceNames } from "../../bus/contract.ts";
import { ServiceUnavailableError } from "../../bus/errors.ts";
import { CANCEL, encodeReply, PING, type ReceivedRequest, type Reply, readRequest } from "./call-messages.ts";
import { HEARTBEAT_MS } from "./live-instances.ts";
import type { NatsLink } from "./nats-link.ts";
import { isMeantFor, subjects } from "./nats-subjects.ts";

/** The group of which one member answers when anybody may. */
const GROUP = "instances";

export interface IncomingCallsOptions {
  readonly identity: BusIdentity;
  readonly link: NatsLink;
  readonly handler: RequestHandler;
  readonly report: (where: string, error: unknown) => void;
}

/** The calls a member answers, and its signs of life. */
export class IncomingCalls {
  readonly #options: IncomingCallsOptions;
  readonly #subscriptions: Subscription[] = [];
  /** By where the answer goes. */
  readonly #running = new Map<string, { readonly abort: AbortController; readonly done: Promise<void> }>();
  #heartbeat: Timer | null = null;
  #stopBack: () => void = () => undefined;
  #isServing = false;

  constructor(options: IncomingCallsOptions) {
    this.#options = options;
  }

  /** Resolves when calls arrive. */
  async start(): Promise<void> {
    const { link, identity } = this.#options;
    const { service, instance } = identity;
    const subscribe = (subject: string, callback: (message: Msg) => void, queue?: string) => {
      const take = (_error: unknown, message: Msg) => {
        if (isMeantFor(subject, message.subject)) callback(message);
      };
      const options = { callback: take, ...(queue ? { queue } : {}) };
      this.#subscriptions.push(link.connection.subscribe(subject, options));
    };
    subscribe(subjects.call(service, "*", instance), (message) => this.#take(message));
    subscribe(subjects.any(service, "*"), (message) => this.#reply(message.reply, { kind: "here", instance }), GROUP);
    subscribe(subjects.who(service), () => this.#beat());
    this.#isServing = true;
    this.#beat();
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
    this.#heartbeat.unref?.();
    this.#stopBack = link.onBack(() => this.#beat());
    await link.connection.flush();
  }

  /** No more calls come; those that run are answered. */
  async stop(): Promise<void> {
    if (!this.#isServing) return;
    this.#isServing = false;
    this.#stopBack();
    if (this.#heartbeat) clearInterval(this.#heartbeat);
    const { link, identity } = this.#options;
    for (const subscription of this.#subscriptions.splice(0)) subscription.unsubscribe();
    if (!link.isOnline) return;
    link.connection.publish(subjects.live(identity.service), `-${identity.instance}`);
    await link.connection.flush().catch(() => undefined);
  }

  /** Resolves when the calls that run now have been answered. */
  async answered(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ done }) => done));
    await this.#options.link.connection.flush().catch(() => undefined);
  }

  /** Fails the calls that run, telling their handlers to stop. Resolves when those have ended. */
  async failRunning(): Promise<void> {
    const { service, instance } = this.#options.identity;
    const running = [...this.#running];
    for (const [reply, { abort }] of running) {
      this.#running.delete(reply);
      this.#reply(reply, { kind: "unavailable" });
      abort.abort(new ServiceUnavailableError(service, instance));
    }
    await Promise.all(running.map(([, { done }]) => done));
  }

  #beat(): void {
    const { link, identity } = this.#options;
    if (link.isOnline && this.#isServing)
      link.connection.publish(subjects.live(identity.service), `+${identity.instance}`);
  }

  #take(message: Msg): void {
    const text = message.string();
    if (text === PING) {
      this.#reply(message.reply, { kind: "here", instance: this.#options.identity.instance });
    } else if (text.startsWith(CANCEL)) {
      this.#running.get(text.slice(CANCEL.length))?.abort.abort(new DOMException("The caller gave up.", "AbortError"));
    } else {
      const request = readRequest(text);
      const caller = serviceNames.find((name) => name === message.subject.split(".")[3]);
      if (request && caller && message.reply) this.#run(request, caller, message.reply);
      else this.#reply(message.reply, { kind: "unavailable" });
    }
  }

  #run(request: ReceivedRequest, caller: ServiceName, reply: string): void {
    const abort = new AbortController();
    const late = () => abort.abort(new DOMException("The caller's time is over.", "TimeoutError"));
    const timer = setTimeout(late, request.timeoutMs);
    const deadlineMs = performance.now() + request.timeoutMs;
    const context = { caller: { service: caller, instance: request.instance }, signal: abort.signal, deadlineMs };
    const done = this.#answer(request, context).then((answer) => {
      clearTimeout(timer);
      if (this.#running.delete(reply)) this.#reply(reply, answer);
    });
    this.#running.set(reply, { abort, done });
  }

  async #answer({ operation, body }: ReceivedRequest, context: RequestContext): Promise<Reply> {
    const { handler, identity, link, report } = this.#options;
    try {
      const answer = await handler(operation, body, context);
      const most = link.maxBytes;
      if (answer.length * 3 <= most) return { kind: "value", body: answer };
      const bytes = Buffer.byteLength(answer);
      return bytes > most ? { kind: "too-large", bytes, most } : { kind: "value", body: answer };
    } catch (error) {
      // A handler that was told to stop ends as it likes: its caller knows already.
      if (!context.signal.aborted) report(`${identity.service}.${operation}`, error);
      return { kind: "failed" };
    }
  }

  #reply(to: string | undefined, reply: Reply): void {
    const { connection } = this.#options.link;
    if (to && this.#options.link.isOnline && !connection.isClosed()) connection.publish(to, encodeReply(reply));
  }
}
