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
