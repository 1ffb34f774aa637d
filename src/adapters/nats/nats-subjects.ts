import type { ServiceName } from "../../bus/contract.ts";

/**
 * The subjects Kinora uses, all below `kinora.`. Where who sends must be known, the sender's name is in the subject,
 * so that the server's permissions vouch for it.
 */
export const subjects = {
  /** A request, ping or cancellation from a service to one instance. */
  call: (callee: ServiceName, caller: ServiceName | "*", instance: string) =>
    `kinora.call.${callee}.${caller}.${tokenOf(instance)}`,
  /** A ping that any one instance answers. */
  any: (callee: ServiceName, caller: ServiceName | "*") => `kinora.any.${callee}.${caller}`,
  /** Heartbeats and goodbyes of a service's instances. */
  live: (service: ServiceName) => `kinora.live.${service}`,
  /** Asks all instances of a service for a heartbeat. */
  who: (service: ServiceName) => `kinora.who.${service}`,
  /** An event, published for a key or none. */
  event: (topic: string, key: string | null) => `kinora.event.${topic}.${key === null ? NO_KEY : tokenOf(key)}`,
  /** All events of a topic. */
  events: (topic: string) => `kinora.event.${topic}.*`,
  /** Prefix of the subjects that a service gets its answers on. */
  inbox: (service: ServiceName) => `kinora.inbox.${service}`,
} as const;

/** The stream that keeps events for durable subscriptions, and the consumer of one of them. */
export const STREAM = "KINORA";
export const consumerOf = (service: ServiceName, topic: string) => `${service}-${topic}`;

const NO_KEY = "-";

/** Any text as one token of a subject. */
function tokenOf(text: string): string {
  return /^[A-Za-z0-9][\w-]*$/.test(text) ? text : `~${Buffer.from(text).toString("base64url")}`;
}

/** The key that an event's subject carries; null when it was published for none. */
export function keyOf(subject: string): string | null {
  const token = subject.slice(subject.lastIndexOf(".") + 1);
  if (token === NO_KEY) return null;
  return token.startsWith("~") ? Buffer.from(token.slice(1), "base64url").toString() : token;
}
