import type { OpenAPIHono } from "@hono/zod-openapi";
import type { ServiceName } from "./bus/contract.ts";
import type { HttpContext, HttpEnv } from "./http/env.ts";
import type { ApiDocument } from "./http/openapi.ts";

/** Requests whose body may be larger than usual. */
export interface LargeBodies {
  readonly method: string;
  /** The path. */
  readonly path: string;
  /** Whether the paths below it are meant as well. */
  readonly below?: boolean;
}

/** A service that runs: what the composition root needs to know of each. */
export interface Service {
  /** Its part of the HTTP interface, to be mounted on a listener. */
  readonly routes: OpenAPIHono<HttpEnv>;
  /** Answers a request that another process owns; null when it is to be answered here. */
  readonly forward?: (c: HttpContext) => Promise<Response | null>;
  /** Descriptions of what other processes answer behind it, from those that can be asked now. */
  readonly describeOthers?: () => Promise<readonly ApiDocument[]>;
  /** A page for people where nothing answers; null for programs, and below the addresses that are for them. */
  readonly nothingHere?: (c: HttpContext) => Response | null;
  /** Where it takes bodies larger than the default limit, and limits them itself. */
  readonly largeBodies?: readonly LargeBodies[];
  /** Resolves when it can do its work; rejects with the reason when it cannot. Asked by `/readyz`. */
  ready(): Promise<void>;
  /** Services that others answer for, and of which it finds no live instance right now. Asked by `/readyz`. */
  missing?(): readonly ServiceName[];
  /** Says goodbye: others send nothing new here. What comes all the same is answered. Calling it again does nothing. */
  leave(): Promise<void>;
  /** Lets running work end and frees everything. Calling it again does nothing. */
  close(): Promise<void>;
}

/** A service behind a listener. */
export interface MountedService {
  readonly name: ServiceName;
  readonly service: Service;
}
