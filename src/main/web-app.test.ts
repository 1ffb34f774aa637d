import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { startTestKinora, type TestKinora } from "../../test/support/kinora.ts";

let kinora: TestKinora;
let script: string;

beforeAll(async () => {
  await Bun.spawn([process.execPath, join(import.meta.dir, "../../scripts/build-web.ts")], { stdout: "ignore" }).exited;
  kinora = await startTestKinora();
  script = /src="([^"]+\.js)"/.exec(await (await get("/")).text())?.[1] ?? "";
});
afterAll(() => kinora.close());

const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
  fetch(new URL(path, kinora.url), { method, headers, redirect: "manual", decompress: false });

describe("the pages", () => {
  test.each([
    "/",
    "/sign-in",
    "/account",
    "/upload",
    "/videos",
    "/library",
    "/watch/0192f5a0-0000-7000-8000-000000000000",
  ])("%s is the app, under a policy that lets nothing in from elsewhere and nothing inline run", async (path) => {
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(response.headers.get("Content-Type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("Cache-Control")).toBe("no-cache");
    expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
    const policy = response.headers.get("Content-Security-Policy") ?? "";
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self' 'sha256-");
    expect(policy).toContain("frame-ancestors 'none'; base-uri 'none'; form-action 'self'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    const html = await response.text();
    expect(html).not.toMatch(/<style|style=|<script(?![^>]*\bsrc=)|\son\w+=|https?:\/\//);
  });

  test("any other path is a problem document, not the app", async () => {
    const response = await get("/nothing-here");
    expect(response.status).toBe(404);
    expect(response.headers.get("Content-Type")).toBe("application/problem+json");
  });

  test("where there is none, people get the app with 404, and programs a problem document", async () => {
    const browser = { Accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
    const page = await get("/nope", browser);
    expect([page.status, page.headers.get("Content-Type")]).toEqual([404, "text/html; charset=utf-8"]);
    expect(page.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
    expect(await page.text()).toContain('<div id="app">');
    for (const path of ["/api/nope", "/assets/none.js", "/metrics/none"]) {
      const problem = await get(path, browser);
      expect([path, problem.status, problem.headers.get("Content-Type")]).toEqual([
        path,
        404,
        "application/problem+json",
      ]);
    }
    expect((await get("/nope", browser, "POST")).headers.get("Content-Type")).toBe("application/problem+json");
  });

  test("the icon is also where browsers guess it", async () => {
    const icon = await get("/favicon.ico");
    expect([icon.status, icon.headers.get("Content-Type")]).toEqual([200, "image/png"]);
  });

  test("are sent again only when they have changed", async () => {
    const etag = (await get("/")).headers.get("ETag") ?? "";
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
    expect((await get("/library", { "If-None-Match": `"other", W/${etag}` })).status).toBe(304);
    expect((await get("/", { "If-None-Match": '"other"' })).status).toBe(200);
  });
});

describe("the files", () => {
  test("may be kept for ever, for their names change with their content", async () => {
    const response = await get(script);
    expect(response.status).toBe(200);
    expect(script).toMatch(/^\/assets\/main-\w{8}\.js$/);
    expect(response.headers.get("Content-Type")).toBe("text/javascript; charset=utf-8");
    expect(response.headers.get("Cache-Control")).toBe("public, max-age=31536000, immutable");
  });

  test.each([
    ["gzip, deflate, br", true],
    ["br;q=1.0, gzip;q=0.5", true],
    ["gzip;q=0", false],
    ["identity", false],
    ["", false],
  ])("with Accept-Encoding %p gzip is used: %p", async (accepted, gzip) => {
    const plain = await (await get(script, { "Accept-Encoding": "identity" })).text();
    const response = await get(script, { "Accept-Encoding": accepted });
    expect(response.headers.get("Content-Encoding")).toBe(gzip ? "gzip" : null);
    expect(response.headers.get("Vary")).toBe("Accept-Encoding");
    const body = await response.bytes();
    expect(new TextDecoder().decode(gzip ? Bun.gunzipSync(body) : body)).toBe(plain);
  });

  test("HEAD has the length and no body", async () => {
    const response = await get(script, { "Accept-Encoding": "identity" }, "HEAD");
    expect(Number(response.headers.get("Content-Length"))).toBeGreaterThan(500);
    expect(await response.text()).toBe("");
  });

  test.each(["/assets/none.js", "/assets/..%2Findex.html", "/assets/%2e%2e/kinora.db", "/assets/manifest.json"])(
    "%s is not there",
    async (path) => {
      expect((await get(path)).status).toBe(404);
    },
  );
});
