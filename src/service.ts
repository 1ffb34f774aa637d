import type { OpenAPIHono } from "@hono/zod-openapi";
import type { ServiceName } from "./bus/contract.ts";
import type { HttpEnv } from "./http/env.ts";

/** A service that runs: what the composition root needs to know of each. */
export interface Service {
  /** Its part of the HTTP interface, to be mounted on a listener. */
  readonly routes: OpenAPIHono<HttpEnv>;
  /** Resolves when it can do its work; rejects with the reason when it cannot. Asked by `/readyz`. */
  ready(): Promise<void>;
  /** Lets running work end and frees everything. Calling it again does nothing. */
  close(): Promise<void>;
}

/** A service behind a listener. */
export interface MountedService {
  readonly name: ServiceName;
  readonly service: Service;
}
