import type { ConsumerMessages, JsMsg } from "@nats-io/jetstream";
import type { EventHandler } from "../../bus/bus.ts";
import type { ServiceName } from "../../bus/contract.ts";
import { ACK_WAIT_MS, type EventStore } from "./event-store.ts";
import type { NatsLink } from "./nats-link.ts";
import { eventOf } from "./nats-subjects.ts";

/** A handler that failed gets its event again after this. */
const AGAIN_AFTER_MS = 500;
/** Between attempts to reach the store. */
const RETRY_MS = 250;

export interface DurableSubscriptionOptions {
  readonly service: ServiceName;
  readonly topic: string;
  readonly link: NatsLink;
  readonly store: EventStore;
  readonly handler: EventHandler;
  readonly report: (error: unknown) => void;
}

/** One instance's part in its service's durable subscription. */
export class DurableSubscription {
  readonly #options: DurableSubscriptionOptions;
  #messages: ConsumerMessages | null = null;
  #isStopped = false;
  #done: Promise<void> = Promise.resolve();
  /** The event in hand. */
  #handling: Promise<void> = Promise.resolve();

  constructor(options: DurableSubscriptionOptions) {
    this.#options = options;
  }

  /** Resolves when the service has its place in the topic: from then on nothing is lost. */
  async start(): Promise<void> {
    await this.#open();
    this.#done = this.#read();
  }

  /** Resolves when the handler that runs has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#handling;
    await this.#messages?.close();
    await this.#done;
  }

  async #open(): Promise<void> {
    const { store, service, topic } = this.#options;
    const consumer = await store.consumer(service, topic);
    this.#messages = await consumer.consume({ max_messages: 1 });
  }

  /** Reads until stopped; whatever becomes of the broker and its store, it goes on. */
  async #read(): Promise<void> {
    while (!this.#isStopped) {
      try {
        if (!this.#messages) await this.#open();
        if (this.#messages) void this.#watch(this.#messages);
        for await (const message of this.#messages ?? []) {
          if (this.#isStopped) return message.nak();
          this.#handling = this.#handle(message);
          await this.#handling;
        }
      } catch {
        // The broker is away, or has lost its store: tried again below, and its link says so.
      }
      this.#messages = null;
      if (!this.#isStopped) await Bun.sleep(RETRY_MS);
    }
  }

  /** A broker that lost its store has lost our place in it, too: reading ends, and begins anew. */
  async #watch(messages: ConsumerMessages): Promise<void> {
    for await (const { type } of messages.status()) {
      if (type === "consumer_not_found" || type === "stream_not_found" || type === "consumer_deleted")
        await messages.close();
    }
  }

  async #handle(message: JsMsg): Promise<void> {
    const alive = setInterval(() => message.working(), ACK_WAIT_MS / 3);
    try {
      const { key, sender } = eventOf(message.subject);
      await this.#options.handler(message.string(), key, sender);
      message.ack();
    } catch (error) {
      this.#options.report(error);
      message.nak(AGAIN_AFTER_MS);
    } finally {
      clearInterval(alive);
    }
  }
}
