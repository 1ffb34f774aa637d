import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { startTestKinora, type TestKinora, TestUser } from "../../test/support/kinora.ts";
import { codeOf } from "../../test/support/totp.ts";
import type { ApiDocument } from "../http/openapi.ts";
import { AUTH_BASE_PATH } from "./better-auth-names.ts";

let kinora: TestKinora;
beforeAll(async () => {
  kinora = await startTestKinora();
});
afterAll(() => kinora.close());

const password = "correct horse battery";

/** Sends requests as one person, keeps all that the answers say but their cookies, and all session secrets there have been. */
class Recorder {
  readonly user = new TestUser(kinora);
  readonly asked = new Set<string>();
  readonly answers: { readonly request: string; readonly text: string }[] = [];
  readonly secrets = new Set<string>();
  readonly #database = new Database(join(kinora.data, "kinora.db"), { readonly: true });

  async send(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    this.#noteSecrets();
    const response = await this.user.send(method, path, body);
    this.#noteSecrets();
    response.headers.delete("Set-Cookie");
    const text = await response.text();
    const request = `${method} ${path.split("?")[0]}`;
    this.asked.add(request);
    this.answers.push({ request, text: `${JSON.stringify([...response.headers])} ${text}` });
    expect(`${request} ${response.ok ? "is answered" : text}`).toBe(`${request} is answered`);
    return text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {};
  }

  #noteSecrets(): void {
    for (const { token } of this.#database.query<{ token: string }, []>("select token from auth_sessions").all())
      this.secrets.add(token);
  }

  /** Requests whose answers tell a session's secret. */
  leaks = () =>
    this.answers.filter(({ text }) => [...this.secrets].some((secret) => text.includes(secret))).map((a) => a.request);
  close = () => this.#database.close();
}

/** Everything of better-auth that can be reached, in an order in which each request is answered well. */
async function useBetterAuth(recorder: Recorder): Promise<void> {
  const send = (method: string, path: string, body?: unknown) => recorder.send(method, AUTH_BASE_PATH + path, body);
  await send("GET", "/get-session");
  const { id } = await send("POST", "/api-key/create", { name: "script" });
  await send("GET", "/api-key/list");
  await send("GET", `/api-key/get?id=${id}`);
  await send("POST", "/api-key/update", { keyId: id, name: "other" });
  await send("POST", "/api-key/delete", { keyId: id });
  const { totpURI } = await send("POST", "/two-factor/enable", { password });
  await send("POST", "/two-factor/verify-totp", { code: codeOf(String(totpURI)) });
  await send("POST", "/two-factor/generate-backup-codes", { password });
  await send("POST", "/two-factor/disable", { password });
  await TestUser.signIn(kinora, "root");
  await send("GET", "/list-sessions");
  const { items } = (await recorder.send("GET", "/api/sessions")) as { items: { id: string; current: boolean }[] };
  await send("POST", "/revoke-session", { id: items.find(({ current }) => !current)?.id });
  await send("POST", "/revoke-other-sessions", {});
  await send("POST", "/revoke-sessions", {});
}

test("no answer tells the secret of a session, which belongs in its cookie alone", async () => {
  const recorder = new Recorder();
  await recorder.send("POST", "/api/session", { username: "root", password });
  await useBetterAuth(recorder);
  await recorder.send("POST", "/api/session", { username: "root", password });
  await recorder.send("PUT", "/api/session/password", { current: password, next: password });
  await recorder.send("POST", "/api/tokens");
  await recorder.send("DELETE", "/api/sessions");
  const document = (await (await recorder.user.get("/api/openapi.json")).json()) as ApiDocument;
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  // An answer without an end is another matter, and so is what takes an id.
  const readable = routes.filter((route) => /^GET \/api\/(?!events|auth)[^{]*$/.test(route));
  for (const route of readable) await recorder.send("GET", route.slice("GET ".length));
  expect(routes.filter((route) => route.includes(AUTH_BASE_PATH) && !recorder.asked.has(route))).toEqual([]);
  expect(recorder.answers.length).toBeGreaterThan(30);
  expect(recorder.secrets.size).toBeGreaterThanOrEqual(5);
  expect(recorder.leaks()).toEqual([]);
  recorder.close();
});
