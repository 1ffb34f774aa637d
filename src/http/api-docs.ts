import type { OpenAPIHono } from "@hono/zod-openapi";
import { renderApiPage } from "./api-docs-page.ts";
import { createApp } from "./app.ts";
import type { HttpEnv } from "./env.ts";
import { type ApiDocument, joinDocuments } from "./openapi.ts";

type DescribeOthers = () => Promise<readonly ApiDocument[]>;

interface Sent {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly lengthBytes: number;
}

/** How long a description that other processes have a part in counts: services come and go, and are upgraded. */
const JOINED_MS = 10_000;

/**
 * `/api/openapi.json`, and `/api/docs` which shows it to people: made on the first request, once, or now and then where other processes
 * have a part in it.
 */
export function apiDocsRoutes(own: () => ApiDocument, others: DescribeOthers | null = null): OpenAPIHono<HttpEnv> {
  const app = createApp();
  const answers: Readonly<Record<string, (document: ApiDocument) => Sent>> = {
    "/api/openapi.json": (document) => sent(JSON.stringify(document), { "Content-Type": "application/json" }),
    "/api/docs": (document) => {
      const { html, styleHash } = renderApiPage(document);
      const policy = `default-src 'none'; style-src '${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
      return sent(html, { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy });
    },
  };
  for (const [path, make] of Object.entries(answers)) {
    let made: Sent | null = null;
    let madeAtMs = 0;
    app.get(path, async (c) => {
      if (made === null || (others && performance.now() - madeAtMs > JOINED_MS)) {
        made = make(joinDocuments(own(), others ? await others() : []));
        madeAtMs = performance.now();
      }
      if (c.req.header("If-None-Match") === made.headers.ETag) return c.body(null, 304, made.headers);
      return c.body(made.body, 200, { ...made.headers, "Content-Length": String(made.lengthBytes) });
    });
  }
  return app;
}

function sent(body: string, headers: Readonly<Record<string, string>>): Sent {
  const bytes = new TextEncoder().encode(body);
  const etag = `"${new Bun.CryptoHasher("sha256").update(bytes).digest("hex").slice(0, 32)}"`;
  const kept = { ETag: etag, "Cache-Control": "no-cache" };
  return { body, headers: { ...headers, ...kept }, lengthBytes: bytes.length };
}
