import type { z } from "zod";
import type { BusConnection, Unsubscribe } from "./bus.ts";
import type { ServiceName, Topic } from "./contract.ts";
import { InvalidMessageError } from "./errors.ts";
import { decode, encode } from "./message.ts";

/** Publishes an event after checking it against the topic's schema. A keyed topic needs its key. */
export async function publish<Payload extends z.ZodType>(
  connection: BusConnection,
  topic: Topic<Payload>,
  payload: z.input<Payload>,
  key: string | null = null,
): Promise<void> {
  if (topic.keyed !== (key !== null)) throw keyMismatch(topic);
  await connection.publish(topic.name, key, encode(topic.name, topic.payload, payload));
}

/** Subscribes to a topic, or to one key of it. What the handler throws is logged; the subscription lives on. */
export async function subscribe<Payload extends z.ZodType>(
  connection: BusConnection,
  topic: Topic<Payload>,
  handler: (payload: z.output<Payload>, key: string | null, sender: ServiceName) => Promise<void> | void,
  key: string | null = null,
): Promise<Unsubscribe> {
  if (key !== null && !topic.keyed) throw keyMismatch(topic);
  return connection.subscribe(topic.name, key, (body, eventKey, sender) =>
    handler(decode(topic.name, topic.payload, body), eventKey, sender),
  );
}

/**
 * Subscribes as a service: each event is handled by one of its instances, and waits while there is none. What the handler
 * throws is logged, and the event comes again; one that does not fit the schema never will, and is logged only.
 */
export async function subscribeDurably<Payload extends z.ZodType>(
  connection: BusConnection,
  topic: Topic<Payload>,
  handler: (payload: z.output<Payload>) => Promise<void> | void,
  onInvalid: (error: unknown) => void,
): Promise<Unsubscribe> {
  const handle = (body: string) => {
    let payload: z.output<Payload>;
    try {
      payload = decode(topic.name, topic.payload, body);
    } catch (error) {
      return onInvalid(error);
    }
    return handler(payload);
  };
  return connection.subscribe(topic.name, null, handle, { durable: true });
}

const keyMismatch = ({ name, keyed }: Topic) =>
  new InvalidMessageError(name, keyed ? "this topic is published for a key" : "this topic has no keys");
