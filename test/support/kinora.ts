import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConfigInput, configSchema } from "../../src/config/schema.ts";
import { type Kinora, type StartOptions, startKinora } from "../../src/main.ts";

export interface TestKinora {
  readonly url: string;
  /** Where its RTSP server is; null where it has none. */
  readonly rtspUrl: string | null;
  readonly data: string;
  /** What the start prints for the first account; null when it takes no code. */
  readonly firstAdminCode: string | null;
  readonly routes: Kinora["routes"];
  /** Stops it and removes its data folder. */
  close(): Promise<void>;
  /** Stops it, keeping the data, does `meanwhile`, and starts it again on another port. */
  restart(meanwhile?: () => void): Promise<void>;
}

const defaults = { listen: "127.0.0.1:0", rtsp: { listen: "127.0.0.1:0" }, log: { level: "silent" } } as const;

/** A whole Kinora in this process, on a free loopback port and a temporary data folder. */
export async function startTestKinora(
  config: Partial<ConfigInput> = {},
  options: StartOptions = {},
): Promise<TestKinora> {
  const data = config.data ?? mkdtempSync(join(tmpdir(), "kinora-test-"));
  // Tests write files and want to see them at once.
  const library = { settle: "0ms", ...config.library };
  const start = () => startKinora(configSchema.parse({ ...defaults, ...config, library, data }), options);
  let running = await start();
  return {
    get url() {
      return running.url;
    },
    get rtspUrl() {
      return running.rtspUrl;
    },
    data,
    get firstAdminCode() {
      return running.firstAdminCode;
    },
    get routes() {
      return running.routes;
    },
    async close() {
      await running.close();
      rmSync(data, { recursive: true, force: true });
    },
    async restart(meanwhile) {
      await running.close();
      meanwhile?.();
      running = await start();
    },
  };
}

/** One person's client: keeps the session cookie. */
export class TestUser {
  readonly #base: () => string;
  cookie = "";

  constructor(kinora: Pick<TestKinora, "url">) {
    this.#base = () => kinora.url;
  }

  /** Signs in, or creates the account when the name is new. */
  static async signIn(
    kinora: Pick<TestKinora, "url"> & { readonly firstAdminCode?: string | null },
    username: string,
    password = "correct horse battery",
  ) {
    const user = new TestUser(kinora);
    const { firstAdminCode } = kinora;
    const code = firstAdminCode ? { setupCode: firstAdminCode } : {};
    const response = await user.post("/api/session", { username, password, ...code });
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    return user;
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.cookie) headers.set("Cookie", this.cookie);
    const response = await fetch(new URL(path, this.#base()), { redirect: "manual", ...init, headers });
    for (const cookie of response.headers.getSetCookie()) this.#keep(cookie);
    return response;
  }

  send(method: string, path: string, body?: unknown): Promise<Response> {
    const json =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
    return this.fetch(path, { method, ...json });
  }

  get = (path: string) => this.send("GET", path);
  post = (path: string, body?: unknown) => this.send("POST", path, body);

  /** Uploads a file as multipart and returns the title's JSON. */
  async upload(
    path: string,
    fields: { name?: string; tags?: string[] } = {},
  ): Promise<Record<string, unknown> & { id: string }> {
    const form = new FormData();
    if (fields.name) form.set("name", fields.name);
    for (const tag of fields.tags ?? []) form.append("tags", tag);
    form.set("file", Bun.file(path), path.slice(path.lastIndexOf("/") + 1));
    const response = await this.fetch("/api/titles", { method: "POST", body: form });
    if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
    return (await response.json()) as Record<string, unknown> & { id: string };
  }

  #keep(setCookie: string): void {
    const [pair = ""] = setCookie.split(";");
    const name = pair.slice(0, pair.indexOf("="));
    const others = this.cookie.split("; ").filter((existing) => existing && !existing.startsWith(`${name}=`));
    const gone = /max-age=0\b/i.test(setCookie) || pair.endsWith("=");
    this.cookie = (gone ? others : [...others, pair]).join("; ");
  }
}
