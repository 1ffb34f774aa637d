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
  /** An event of a service, published for a key or none. */
  event: (topic: string, sender: ServiceName | "*", key: string | null) =>
    `kinora.event.${topic}.${sender}.${key === null ? NO_KEY : tokenOf(key)}`,
  /** All events of a topic, or those that one service publishes. */
  events: (topic: string, sender: ServiceName | "*" = "*") => `kinora.event.${topic}.${sender}.*`,
  /** Prefix of the subjects that a service gets its answers on. */
  inbox: (service: ServiceName) => `kinora.inbox.${service}`,
} as const;

/** The stream that keeps events for durable subscriptions, and the consumer of one of them. */
export const STREAM = "KINORA";
export const consumerOf = (service: ServiceName, topic: string) => `${service}-${topic}`;

/**
 * The service that may change what the store keeps, and how: whoever may could throw away what others wait for. It is the one
 * that everybody has to trust anyway.
 */
export const STORE_KEEPER: ServiceName = "auth";

/**
 * Whether a message was published to what a subscription asks for (`*` stands for one token). The store delivers wherever a
 * consumer's maker says, under the subject that the message was published to: only that is vouched for by the permissions.
 */
export function isMeantFor(pattern: string, subject: string): boolean {
  const [wanted, tokens] = [pattern.split("."), subject.split(".")];
  return wanted.length === tokens.length && wanted.every((token, i) => token === "*" || token === tokens[i]);
}

const NO_KEY = "-";

/** Any text as one token of a subject. */
function tokenOf(text: string): string {
  return /^[A-Za-z0-9][\w-]*$/.test(text) ? text : `~${Buffer.from(text).toString("base64url")}`;
}

/** What an event's subject tells: who published it, and the key; null when it was published for none. */
export function eventOf(subject: string): { readonly sender: ServiceName; readonly key: string | null } {
  const [sender, token = NO_KEY] = subject.split(".").slice(-2);
  return { sender: sender as ServiceName, key: token === NO_KEY ? null : textOf(token) };
}

const textOf = (token: string) => (token.startsWith("~") ? Buffer.from(token.slice(1), "base64url").toString() : token);
