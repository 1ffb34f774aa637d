import type { Subscription } from "@nats-io/nats-core";
import type { EventHandler } from "../../bus/bus.ts";
import type { NatsLink } from "./nats-link.ts";
import { eventOf, isMeantFor } from "./nats-subjects.ts";

/** Hands the events of a subject to a handler, one after the other. */
export class EventSubscription {
  readonly #link: NatsLink;
  readonly #subject: string;
  readonly #handler: EventHandler;
  readonly #report: (error: unknown) => void;
  #subscription: Subscription | null = null;
  /** The tail of the queue. */
  #tail: Promise<void> = Promise.resolve();

  constructor(link: NatsLink, subject: string, handler: EventHandler, report: (error: unknown) => void) {
    this.#link = link;
    this.#subject = subject;
    this.#handler = handler;
    this.#report = report;
  }

  /** Resolves when events arrive. */
  async start(): Promise<void> {
    this.#subscription = this.#link.connection.subscribe(this.#subject, {
      callback: (error, message) => {
        if (error) return this.#report(error);
        if (!isMeantFor(this.#subject, message.subject)) return;
        const [body, subject] = [message.string(), message.subject];
        this.#tail = this.#tail.then(() => this.#handle(body, subject));
      },
    });
    await this.#link.connection.flush();
  }

  /** Resolves when the handler that runs has ended. */
  async stop(): Promise<void> {
    this.#subscription?.unsubscribe();
    this.#subscription = null;
    await this.#tail;
  }

  async #handle(body: string, subject: string): Promise<void> {
    if (this.#subscription === null) return;
    try {
      const { key, sender } = eventOf(subject);
      await this.#handler(body, key, sender);
    } catch (error) {
      this.#report(error);
    }
  }
}
