import type { OpenAPIHono } from "@hono/zod-openapi";
import { version } from "../version.ts";
import type { HttpEnv } from "./env.ts";

/** What the pages and tests read of an OpenAPI 3.1 document. */
export interface ApiDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>;
  readonly components: { readonly schemas?: Readonly<Record<string, ApiSchema>> };
}

export interface ApiOperation {
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema?: ApiSchema;
  }[];
  readonly requestBody?: { readonly content: ApiContent };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: ApiContent }>>;
}

export type ApiContent = Readonly<Record<string, { readonly schema?: ApiSchema }>>;

export interface ApiSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly items?: ApiSchema;
  readonly properties?: Readonly<Record<string, ApiSchema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly ApiSchema[];
  readonly oneOf?: readonly ApiSchema[];
  readonly allOf?: readonly ApiSchema[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly description?: string;
}

const description = `Errors are problem documents (RFC 9457) with a stable \`code\`. Ids are UUIDv7, times ISO 8601 in UTC. Unknown fields and \
query parameters are refused with 400. HEAD stands wherever GET does. Every answer carries \`X-Request-Id\`.`;

/** Several descriptions as one; what more than one of them describes is as the first one says. */
export function joinDocuments(first: ApiDocument, others: readonly ApiDocument[]): ApiDocument {
  const all = [first, ...others].toReversed();
  return {
    ...first,
    paths: Object.assign({}, ...all.map(({ paths }) => paths)),
    components: {
      ...first.components,
      schemas: Object.assign({}, ...all.map(({ components }) => components.schemas ?? {})),
    },
  };
}

/** The description of everything that is mounted on an app, from the same schemas that check its requests. */
export function describeApi(app: OpenAPIHono<HttpEnv>): ApiDocument {
  const { openAPIRegistry: registry } = app;
  registry.registerComponent("securitySchemes", "cookie", {
    ...{ type: "apiKey", in: "cookie", name: "kinora.session_token" },
    description:
      "The session cookie that `POST /api/session` sets. Requests that change something must come from Kinora's own pages.",
  });
  registry.registerComponent("securitySchemes", "bearer", {
    ...{ type: "http", scheme: "bearer" },
    description: "A token of `POST /api/tokens`, or an API key.",
  });
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title: "Kinora", version, description },
    servers: [{ url: "/" }],
    security: [{ cookie: [] }, { bearer: [] }],
  }) as unknown as ApiDocument;
}
