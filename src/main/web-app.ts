import { join } from "node:path";
import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { NotFoundError, TemporaryUnavailableError } from "../errors.ts";
import { createApp } from "../http/app.ts";
import type { HttpContext, HttpEnv } from "../http/env.ts";

/** One built file, ready to be sent. */
interface WebFile {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Null where compression gains nothing. */
  readonly gzip: Uint8Array<ArrayBuffer> | null;
  readonly etag: string;
}

/** The built web app: its files by path (`index.html`, `assets/…`) and the policy its pages are sent with. */
export interface WebAssets {
  readonly files: ReadonlyMap<string, WebFile>;
  readonly contentSecurityPolicy: string;
}

/** Pages of the app; what each shows is decided in the browser. */
const pages = [
  "/",
  "/sign-in",
  "/account",
  "/upload",
  "/videos",
  "/library",
  "/collections",
  "/collections/:id",
  "/watch/:id",
  "/admin",
  "/admin/:page",
] as const;

const types: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  woff2: "font/woff2",
  png: "image/png",
  webmanifest: "application/manifest+json",
  txt: "text/plain; charset=utf-8",
  json: "application/json",
};

const manifestSchema = z.object({ styleHashes: z.array(z.string().regex(/^'sha256-[A-Za-z0-9+/=]+'$/)) });

/**
 * Reads what `scripts/build-web.ts` built: embedded in a compiled executable, else `dist/web.tar` beside the sources.
 * Null when the app has not been built.
 */
export async function loadWebAssets(): Promise<WebAssets | null> {
  const embedded = Bun.embeddedFiles.find((file) => "name" in file && /^web[^/]*\.tar$/.test(String(file.name)));
  const built = Bun.file(join(import.meta.dir, "..", "..", "dist", "web.tar"));
  if (!embedded && !(await built.exists())) return null;
  const packed = embedded ?? built;
  const entries = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [path, file] of await new Bun.Archive(await packed.bytes()).files()) entries.set(path, await file.bytes());
  const manifest = manifestSchema.parse(JSON.parse(new TextDecoder().decode(entries.get("manifest.json"))));
  const files = new Map<string, WebFile>();
  for (const [path, bytes] of entries) {
    const type = types[path.slice(path.lastIndexOf(".") + 1)];
    if (!type || path === "manifest.json") continue;
    const etag = new Bun.CryptoHasher("sha256").update(bytes).digest("hex").slice(0, 32);
    files.set(path, { type, bytes, gzip: entries.get(`${path}.gz`) ?? null, etag });
  }
  return { files, contentSecurityPolicy: contentSecurityPolicy(manifest.styleHashes) };
}

/** Everything from here and nothing from elsewhere; the hashes are the player's own shadow-DOM styles. */
function contentSecurityPolicy(styleHashes: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' ${styleHashes.join(" ")}`.trimEnd(),
    "font-src 'self'",
    "img-src 'self' data: blob:",
    // hls.js starts each of its subtitle tracks with an empty `data:` file.
    "media-src 'self' blob: data:",
    "connect-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
  ].join("; ");
}

/** Serves the web app: its pages, and its files under `/assets/` whose names change with their content. */
export function createWebApp(assets: WebAssets | null): OpenAPIHono<HttpEnv> {
  const app = createApp();
  for (const page of pages) app.get(page, (c) => answerPage(c, assets));
  for (const path of ["/offline.html", "/service-worker.js", "/manifest.webmanifest"]) {
    app.get(path, (c) => answerPage(c, assets, path.slice(1)));
  }
  // What is asked for by browsers and programs that read no page first.
  app.get("/favicon.ico", (c) => {
    const name = [...(assets?.files.keys() ?? [])].find((path) => path.startsWith("assets/icon-192-"));
    const file = name === undefined ? undefined : assets?.files.get(name);
    if (!file) throw new NotFoundError("There is nothing at this address.");
    return answer(c, file, { "Cache-Control": "public, max-age=86400" });
  });
  app.get("/assets/:name", (c) => {
    const file = assets?.files.get(`assets/${c.req.param("name")}`);
    if (!file) throw new NotFoundError("There is nothing at this address.");
    return answer(c, file, { "Cache-Control": "public, max-age=31536000, immutable" });
  });
  return app;
}

/** Below these, programs ask. */
const FOR_PROGRAMS = /^\/(api|stream|assets|metrics|healthz|readyz)(\/|$)/;

/** The app, which says that there is no such page, with status 404; null for whoever did not ask for a page. */
export function nothingHere(c: HttpContext, assets: WebAssets | null): Response | null {
  const file = assets?.files.get("index.html");
  const isRead = c.req.method === "GET" || c.req.method === "HEAD";
  if (!assets || !file || !isRead || FOR_PROGRAMS.test(c.req.path) || !acceptsPages(c.req.header("Accept")))
    return null;
  const page = answer(c, file, { "Cache-Control": "no-store", ...policiesOf(assets) }, 404);
  page.headers.append("Vary", "Accept");
  return page;
}

/** Named, not only covered by a wildcard: browsers name it, programs seldom do. */
const acceptsPages = (accept = "") => /(^|,)\s*text\/html\s*(;|,|$)/i.test(accept);

const policiesOf = ({ contentSecurityPolicy }: WebAssets) => ({
  "Content-Security-Policy": contentSecurityPolicy,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
});

function answerPage(c: HttpContext, assets: WebAssets | null, name = "index.html"): Response {
  const file = assets?.files.get(name);
  if (!assets || !file) {
    throw new TemporaryUnavailableError(
      "The web app has not been built. Run `npm start`, or `bun scripts/build-web.ts`.",
    );
  }
  return answer(c, file, {
    "Cache-Control": "no-cache",
    // Two kilobytes that mean nothing for what is no page and no worker.
    ...(name.endsWith(".webmanifest") ? {} : policiesOf(assets)),
  });
}

function answer(c: HttpContext, file: WebFile, extra: Readonly<Record<string, string>>, status = 200): Response {
  const gzip = file.gzip && acceptsGzip(c.req.header("Accept-Encoding")) ? file.gzip : null;
  const etag = `"${file.etag}${gzip ? "-gz" : ""}"`;
  const headers: Record<string, string> = {
    ...extra,
    ETag: etag,
    "X-Content-Type-Options": "nosniff",
    ...(file.gzip ? { Vary: "Accept-Encoding" } : {}),
  };
  if (status === 200 && ifNoneMatch(c.req.header("If-None-Match"), etag))
    return new Response(null, { status: 304, headers });
  headers["Content-Type"] = file.type;
  headers["Content-Length"] = String((gzip ?? file.bytes).length);
  if (gzip) headers["Content-Encoding"] = "gzip";
  return new Response(gzip ?? file.bytes, { status, headers });
}

/** RFC 9110 section 12.5.3, as far as gzip goes. */
function acceptsGzip(header: string | undefined): boolean {
  const codings = (header ?? "").toLowerCase().split(",");
  return codings.some((coding) => /^\s*(gzip|x-gzip)\s*(;|$)/.test(coding) && !/;\s*q=0(\.0*)?\s*$/.test(coding));
}

/** RFC 9110 section 13.1.2: weak comparison with any of the listed tags. */
function ifNoneMatch(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(",").some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === etag);
}
