import type { z } from "zod";
import type { BusConnection, Unsubscribe } from "./bus.ts";
import type { Topic } from "./contract.ts";
import { decode, encode } from "./message.ts";

/** Publishes an event after checking it against the topic's schema. A keyed topic needs its key. */
export function publish<Payload extends z.ZodType>(
  connection: BusConnection,
  topic: Topic<Payload>,
  payload: z.input<Payload>,
  key: string | null = null,
): Promise<void> {
  return connection.publish(topic.name, key, encode(topic.name, topic.payload, payload));
}

/** Subscribes to a topic, or to one key of it. What the handler throws is logged; the subscription lives on. */
export function subscribe<Payload extends z.ZodType>(
  connection: BusConnection,
  topic: Topic<Payload>,
  handler: (payload: z.output<Payload>, key: string | null) => Promise<void> | void,
  key: string | null = null,
): Promise<Unsubscribe> {
  return connection.subscribe(topic.name, key, (body, eventKey) =>
    handler(decode(topic.name, topic.payload, body), eventKey),
  );
}
