import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ownerOf } from "../src/bus/route-table.ts";
import { contracts } from "../src/contracts.ts";
import type { ApiDocument } from "../src/http/openapi.ts";
import { startTestKinora, type TestKinora, TestUser } from "./support/kinora.ts";

let kinora: TestKinora;
beforeAll(async () => {
  kinora = await startTestKinora();
});
afterAll(() => kinora.close());

const isInterface = ({ path }: { path: string }) =>
  !path.includes("*") && (path.startsWith("/api/") || path.startsWith("/stream/"));
/** `/a/:id{[0-9]+}.m4s` as OpenAPI writes it: `/a/{id}.m4s`. */
const asTemplate = (path: string) =>
  path.replace(/:(\w+)(?:\{([^}]*)\})?/g, (_all, name: string, pattern?: string) => {
    return `{${name}}${/\.(?:m4s|vtt)$/.exec(pattern ?? "")?.[0] ?? ""}`;
  });
const UUID = "0192f5a0-0000-7000-8000-000000000000";
const asPath = (path: string) =>
  path
    .replace(/:segment\{[^}]*\}/, "1.m4s")
    .replace(/:\w+\{[^}]*\}/g, "1")
    .replace(/:\w+/g, UUID);

test("every mounted route belongs to the service whose contract declares it", () => {
  expect(kinora.routes.length).toBeGreaterThan(20);
  for (const { service, method, path } of kinora.routes) {
    expect(`${method} ${path} is ${service}'s`).toBe(
      `${method} ${path} is ${ownerOf(contracts, method, asPath(path))}'s`,
    );
  }
});

test("what contracts declare is mounted", () => {
  /** Declared for a later version. */
  const later = new Set(["/api/imports"]);
  for (const { name, routes } of contracts) {
    for (const { path } of routes) {
      if (later.has(path)) continue;
      const answered = kinora.routes.some((route) => route.service === name && route.path.startsWith(path));
      expect(`${name} answers ${path}: ${answered}`).toBe(`${name} answers ${path}: true`);
    }
  }
});

describe("the description of the interface", () => {
  test("names every mounted route, and nothing that is not there", async () => {
    const response = await fetch(`${kinora.url}/api/openapi.json`);
    const document = (await response.json()) as ApiDocument & { openapi: string };
    expect(document.openapi).toBe("3.1.0");
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const mounted = kinora.routes
      .filter(isInterface)
      .filter(({ method }) => method !== "OPTIONS")
      .map(({ method, path }) => `${method} ${asTemplate(path)}`);
    // HEAD stands wherever GET does, and is described where it means more.
    expect([...new Set(described.filter((route) => !route.startsWith("HEAD ")))].sort()).toEqual(
      [...new Set(mounted)].sort(),
    );
  });

  test("says how to prove who asks", async () => {
    const document = await (await fetch(`${kinora.url}/api/openapi.json`)).json();
    expect(Object.keys(document.components.securitySchemes)).toEqual(expect.arrayContaining(["cookie", "bearer"]));
    expect(document.security).toEqual([{ cookie: [] }, { bearer: [] }]);
  });

  test("is a page without scripts, under a policy that allows nothing but its style", async () => {
    const response = await fetch(`${kinora.url}/api/docs`);
    const html = await response.text();
    expect(response.headers.get("Content-Security-Policy")).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; /);
    expect(html).not.toContain("<script");
    expect(html).toContain("/api/titles/{id}");
    const again = await fetch(`${kinora.url}/api/docs`, {
      headers: { "If-None-Match": response.headers.get("ETag") ?? "" },
    });
    expect(again.status).toBe(304);
  });
});

describe("without a credential", () => {
  /** What somebody who is not signed in may ask; each has its own rules and tests. */
  const open = new Set(["POST /api/session", "DELETE /api/session", "POST /api/tokens", "POST /api/tokens/refresh"]);

  test("every other route answers 401 and nothing else", async () => {
    for (const { method, path } of kinora.routes.filter(isInterface)) {
      if (open.has(`${method} ${path}`) || path.startsWith("/api/auth/")) continue;
      const response = await fetch(kinora.url + asPath(path), {
        method,
        ...(["POST", "PUT", "PATCH"].includes(method)
          ? { body: "{}", headers: { "Content-Type": "application/json" } }
          : {}),
      });
      expect(`${method} ${path}: ${response.status}`).toBe(`${method} ${path}: 401`);
      expect(response.headers.get("Content-Type")).toBe("application/problem+json");
    }
  });
});

describe("answers", () => {
  test("an unknown address below /api is a problem, whoever asks", async () => {
    const user = await TestUser.signIn(kinora, "ada");
    for (const ask of [() => fetch(`${kinora.url}/api/nothing`), () => user.get("/api/nothing")]) {
      const response = await ask();
      expect(response.status).toBe(404);
      expect(response.headers.get("Content-Type")).toBe("application/problem+json");
    }
  });

  test("HEAD has the status and length of GET at every address without parameters", async () => {
    const user = await TestUser.signIn(kinora, "ada");
    const paths = kinora.routes
      .filter(({ method, path }) => method === "GET" && !path.includes(":"))
      .map(({ path }) => path);
    for (const path of new Set([...paths, "/healthz", "/readyz", "/api/openapi.json", "/api/docs", "/api/nothing"])) {
      // Without an end; and with a load that is another one at each heartbeat.
      if (path === "/api/events" || path === "/api/services") continue;
      const headers = { "Accept-Encoding": "identity" };
      const [head, whole] = [await user.fetch(path, { method: "HEAD", headers }), await user.fetch(path, { headers })];
      const length = (await whole.arrayBuffer()).byteLength;
      expect([path, head.status, head.headers.get("Content-Length")]).toEqual([path, whole.status, String(length)]);
    }
  });
});
