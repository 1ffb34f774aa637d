import type { OpenAPIHono } from "@hono/zod-openapi";
import { renderApiPage } from "./api-docs-page.ts";
import { createApp } from "./app.ts";
import type { HttpEnv } from "./env.ts";
import type { ApiDocument } from "./openapi.ts";

interface Sent {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly lengthBytes: number;
}

/** `/api/openapi.json`, and `/api/docs` which shows it to people: made once, on the first request. */
export function apiDocsRoutes(describe: () => ApiDocument): OpenAPIHono<HttpEnv> {
  const app = createApp();
  const answers: Readonly<Record<string, () => Sent>> = {
    "/api/openapi.json": () => sent(JSON.stringify(describe()), { "Content-Type": "application/json" }),
    "/api/docs": () => {
      const { html, styleHash } = renderApiPage(describe());
      const policy = `default-src 'none'; style-src '${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
      return sent(html, { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy });
    },
  };
  for (const [path, make] of Object.entries(answers)) {
    let made: Sent | null = null;
    app.get(path, (c) => {
      made ??= make();
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
