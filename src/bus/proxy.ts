import { z } from "zod";
import { asKnownFailure, ProblemError } from "../errors.ts";
import type { BusConnection, RequestContext, Unsubscribe } from "./bus.ts";
import { answering, callInHand } from "./call-in-hand.ts";
import type { AnyContract, Operation, ServiceContract } from "./contract.ts";
import { ServiceUnavailableError, UnknownOperationError } from "./errors.ts";
import { decode, encode } from "./message.ts";

const DEFAULT_TIMEOUT_MS = 5_000;

export interface CallOptions {
  /** The instance that must answer; any live one when absent. */
  readonly instance?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

type OperationsOf<C> = C extends ServiceContract<infer Operations> ? Operations : never;
type InputOf<O> = O extends Operation<infer Input> ? z.input<Input> : never;
type OutputOf<O> = O extends Operation<z.ZodType, infer Output> ? z.output<Output> : never;
type ParsedInputOf<O> = O extends Operation<infer Input> ? z.output<Input> : never;
type RawOutputOf<O> = O extends Operation<z.ZodType, infer Output> ? z.input<Output> : never;

/** A service as its callers see it: one function for each operation. */
export type ServiceProxy<C extends AnyContract> = {
  readonly [K in keyof OperationsOf<C>]: (
    input: InputOf<OperationsOf<C>[K]>,
    options?: CallOptions,
  ) => Promise<OutputOf<OperationsOf<C>[K]>>;
};

/** A service as it implements itself: one handler for each operation of its contract. */
export type Handlers<C extends AnyContract> = {
  readonly [K in keyof OperationsOf<C>]: (
    input: ParsedInputOf<OperationsOf<C>[K]>,
    context: RequestContext,
  ) => Promise<RawOutputOf<OperationsOf<C>[K]>>;
};

/** How a reply looks on the bus: the value, or the error. */
const replySchema = z.union([
  z.strictObject({ value: z.unknown() }),
  z.strictObject({
    error: z.object({
      code: z.string(),
      message: z.string(),
      status: z.number(),
      data: z.record(z.string(), z.unknown()),
      headers: z.record(z.string(), z.string()),
    }),
  }),
]);

/**
 * Makes the typed proxy through which a service calls another. The caller does not know where an instance runs.
 * Errors the other side threw as `ProblemError` arrive as `ProblemError` with code, status and data. A repeatable
 * operation whose instance goes away in the middle is asked of another one, once, in the time that is left. A call made while
 * answering another one has no more time than that one's caller has left, and ends when that gives up; see `detached`.
 */
export function proxyOf<C extends AnyContract>(connection: BusConnection, contract: C): ServiceProxy<C> {
  const call = async (name: string, operation: Operation, input: unknown, options: CallOptions) => {
    const where = `${contract.name}.${name}`;
    const body = encode(where, operation.input, input);
    const target = { service: contract.name, ...(options.instance ? { instance: options.instance } : {}) };
    const inHand = callInHand();
    const ownMs = options.timeoutMs ?? operation.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const deadlineMs = Math.min(performance.now() + ownMs, inHand?.deadlineMs ?? Number.POSITIVE_INFINITY);
    const [signal, other] = [options.signal, inHand?.signal].filter((one) => one !== undefined);
    const bound = signal && { signal: other ? AbortSignal.any([signal, other]) : signal };
    const request = () => {
      const timeoutMs = Math.max(1, Math.ceil(deadlineMs - performance.now()));
      return connection.request(target, name, body, { timeoutMs, ...bound });
    };
    const reply = await request().catch((error: unknown) => {
      const another = operation.repeatable && !options.instance && error instanceof ServiceUnavailableError;
      if (another) return request();
      throw error;
    });
    return readReply(where, operation, reply);
  };
  const functions = Object.entries(contract.operations).map(([name, operation]) => [
    name,
    (input: unknown, options: CallOptions = {}) => call(name, operation, input, options),
  ]);
  return Object.fromEntries(functions) as ServiceProxy<C>;
}

/** Serves a contract's operations. Input and output are checked against the contract's schemas. */
export function serveContract<C extends AnyContract>(
  connection: BusConnection,
  contract: C,
  handlers: Handlers<C>,
): Promise<Unsubscribe> {
  const table = handlers as Readonly<Record<string, (input: unknown, context: RequestContext) => Promise<unknown>>>;
  return connection.serve(async (name, body, context) => {
    const where = `${contract.name}.${name}`;
    try {
      const operation = Object.hasOwn(contract.operations, name) ? contract.operations[name] : undefined;
      const handler = Object.hasOwn(table, name) ? table[name] : undefined;
      if (!operation || !handler) throw new UnknownOperationError(where);
      const value = await answering(context, () => handler(decode(where, operation.input, body), context));
      return `{"value":${encode(where, operation.output, value)}}`;
    } catch (error) {
      const known = asKnownFailure(error);
      if (!(known instanceof ProblemError)) throw error;
      const { code, message, status, data, headers } = known;
      return JSON.stringify({ error: { code, message, status, data, headers } });
    }
  });
}

function readReply(where: string, operation: Operation, body: string): unknown {
  const reply = decode(where, replySchema, body);
  if ("error" in reply) {
    const { code, message, status, data, headers } = reply.error;
    throw new ProblemError(code, message, { status, data, headers });
  }
  return decode(where, operation.output, JSON.stringify(reply.value ?? null));
}
