import type { z } from "zod";

/** The services Kinora is made of. Each may run in any number of instances. */
export const serviceNames = ["main", "auth", "catalog", "upload", "streaming"] as const;
export type ServiceName = (typeof serviceNames)[number];

/** One call a service answers. */
export interface Operation<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  readonly input: Input;
  readonly output: Output;
  /** True when a call may be sent to another instance after a failure without harm. Default false. */
  readonly repeatable?: boolean;
  /** How long a caller waits, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
}

/** An event topic. A keyed topic is published for one key, as in `StreamerSync.<streamId>`. */
export interface Topic<Payload extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly payload: Payload;
  readonly keyed: boolean;
}

/** A path prefix of the HTTP interface and the service that answers it. The longest path wins. */
export interface Route {
  readonly path: string;
  /** True when only this path is meant, not what lies below it. */
  readonly exact?: boolean;
  /** Only these methods; all of them when absent. */
  readonly methods?: readonly string[];
  /** True where it takes the instance that has the bytes. Which one that is main knows, unless all reach the same. */
  readonly placed?: boolean;
}

/** Everything other services may know of one: the only file of a service that others import. */
export interface ServiceContract<Operations extends Readonly<Record<string, Operation>>> {
  readonly name: ServiceName;
  readonly operations: Operations;
  /** Names of the topics it publishes and subscribes to. */
  readonly publishes: readonly string[];
  readonly subscribes: readonly string[];
  /** Those it subscribes to as a service, so that no event is lost while none of its instances runs. Default none. */
  readonly durable?: readonly string[];
  /** Services whose operations it calls. */
  readonly calls: readonly ServiceName[];
  readonly routes: readonly Route[];
}

export type AnyContract = ServiceContract<Readonly<Record<string, Operation>>>;

/** Declares a service. Identity function that keeps the operations' types. */
export function defineService<Operations extends Readonly<Record<string, Operation>>>(
  contract: ServiceContract<Operations>,
): ServiceContract<Operations> {
  return contract;
}

/** Declares a topic; `keyed` defaults to false. */
export function defineTopic<Payload extends z.ZodType>(
  name: string,
  payload: Payload,
  options: { keyed?: boolean } = {},
): Topic<Payload> {
  return { name, payload, keyed: options.keyed ?? false };
}
