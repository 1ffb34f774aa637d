import { ProblemError } from "../errors.ts";

/** 503: no live instance serves what was asked. Names the service, so an operator sees what to start. */
export class ServiceUnavailableError extends ProblemError {
  constructor(service: string, instance?: string) {
    super("temporary-unavailable", `No instance of ${service}${instance ? ` named ${instance}` : ""} is running.`, {
      status: 503,
      headers: { "Retry-After": "2" },
    });
  }
}

/** 503: the service took longer than the operation allows. */
export class BusTimeoutError extends ProblemError {
  constructor(service: string, operation: string, timeoutMs: number) {
    super("temporary-unavailable", `${service}.${operation} did not answer within ${timeoutMs} ms.`, {
      status: 503,
      headers: { "Retry-After": "2" },
    });
  }
}

/** 500: a service tried what the permission table does not grant it: a mistake in the program. */
export class BusForbiddenError extends ProblemError {
  constructor(service: string, verb: "call" | "serve" | "publish" | "subscribe", name: string) {
    super("bus-forbidden", `${service} may not ${verb} ${name}: its contract does not declare it.`, { status: 500 });
  }
}

/** 500: a message that does not fit its schema, on either side. */
export class InvalidMessageError extends ProblemError {
  constructor(where: string, detail: string, cause?: unknown) {
    super("invalid-message", `${where}: ${detail}`, { status: 500, cause });
  }
}

/** 500: a message larger than the bus carries: a list that should have been asked for in pages. */
export class MessageTooLargeError extends ProblemError {
  constructor(where: string, bytes: number, most: number) {
    super("message-too-large", `${where}: a message of ${bytes} bytes is too large; the bus carries ${most}.`, {
      status: 500,
    });
  }
}

/** 503: this member of the bus was closed: its service is stopping. */
export class BusClosedError extends ProblemError {
  constructor(service: string) {
    super("temporary-unavailable", `This instance of ${service} is stopping.`, {
      status: 503,
      headers: { "Retry-After": "2" },
    });
  }
}

/** 500 `internal`: the handler of a call failed in a way its contract does not know. The service's log says how. */
export class HandlerFailedError extends ProblemError {
  constructor(where: string) {
    super("internal", `${where} failed.`, { status: 500 });
  }
}

/** 500: a call of an operation the service does not have: caller and service are of different versions. */
export class UnknownOperationError extends ProblemError {
  constructor(where: string) {
    super("unknown-operation", `${where} does not exist.`, { status: 500 });
  }
}
