import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Preferences that keep it quiet; those that automation needs it sets itself. */
const preferences: Readonly<Record<string, boolean | number | string>> = {
  "media.autoplay.default": 0,
  "media.autoplay.blocking_policy": 0,
  "media.volume_scale": "0.0",
  "app.update.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "toolkit.telemetry.enabled": false,
};

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

interface Message {
  readonly id?: number;
  readonly type?: string;
  readonly method?: string;
  readonly result?: unknown;
  readonly error?: string;
  readonly message?: string;
  readonly params?: { readonly level?: string; readonly text?: string };
}

/** One page in Debian's Firefox, driven over WebDriver BiDi: as much of it as the tests need. */
export interface Firefox {
  /** Errors in the console, as they came. */
  readonly troubles: readonly string[];
  open(url: string): Promise<void>;
  /** Evaluates an expression, waits for its promise, and gives its value, which JSON can carry. */
  evaluate<T>(expression: string): Promise<T>;
  close(): Promise<void>;
}

/** Starts Firefox, headless, with a profile of its own. */
export async function openFirefox(): Promise<Firefox> {
  const profile = mkdtempSync(join(tmpdir(), "kinora-firefox-"));
  const lines = Object.entries(preferences).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});\n`);
  await Bun.write(join(profile, "user.js"), lines.join(""));
  const command = ["firefox-esr", "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"];
  const child = Bun.spawn(command, {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, HOME: profile, MOZ_CRASHREPORTER_DISABLE: "1" },
  });
  const end = async () => {
    child.kill();
    await child.exited;
    rmSync(profile, { recursive: true, force: true });
  };
  try {
    const connection = await BidiConnection.open(`${await listeningUrl(child.stderr)}/session`);
    return await firstPage(connection, end);
  } catch (error) {
    await end();
    throw error;
  }
}

async function firstPage(connection: BidiConnection, end: () => Promise<void>): Promise<Firefox> {
  await connection.send("session.new", { capabilities: {} });
  await connection.send("session.subscribe", { events: ["log.entryAdded"] });
  const tree = (await connection.send("browsingContext.getTree", {})) as { contexts: { context: string }[] };
  const context = tree.contexts[0]?.context;
  return {
    troubles: connection.troubles,
    async open(url) {
      await connection.send("browsingContext.navigate", { context, url, wait: "complete" });
    },
    async evaluate<T>(expression: string) {
      const wrapped = `Promise.resolve(${expression}).then((value) => JSON.stringify(value) ?? "null")`;
      const answer = (await connection.send("script.evaluate", {
        expression: wrapped,
        target: { context },
        awaitPromise: true,
      })) as { type: string; result?: { value: string }; exceptionDetails?: { text: string } };
      if (answer.type !== "success") throw new Error(`in the page: ${answer.exceptionDetails?.text}`);
      return JSON.parse(answer.result?.value ?? "null") as T;
    },
    async close() {
      await connection.send("session.end", {}).catch(() => undefined);
      connection.close();
      await end();
    },
  };
}

/** Reads where it listens from what it writes while it starts. */
async function listeningUrl(stderr: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  const reader = stderr.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`Firefox did not start: ${text}`);
    text += decoder.decode(value, { stream: true });
    const url = /WebDriver BiDi listening on (ws:\S+)/.exec(text)?.[1];
    if (url === undefined) continue;
    void drain(reader);
    return url;
  }
}

/** What nobody reads would stop it once the pipe is full. */
async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}

/** Commands and their answers over a WebSocket. */
class BidiConnection {
  readonly troubles: string[] = [];
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, Pending>();
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(String(data)) as Message);
    socket.onclose = () => {
      for (const { reject } of this.#pending.values()) reject(new Error("Firefox has gone"));
    };
  }

  static async open(url: string): Promise<BidiConnection> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error("Firefox does not answer"));
    });
    return new BidiConnection(socket);
  }

  send(method: string, params: Readonly<Record<string, unknown>>): Promise<unknown> {
    const id = ++this.#last;
    const answer = new Promise<unknown>((resolve, reject) => this.#pending.set(id, { resolve, reject }));
    this.#socket.send(JSON.stringify({ id, method, params }));
    return answer;
  }

  close(): void {
    this.#socket.close();
  }

  #receive({ id, type, method, result, error, message, params }: Message): void {
    if (method === "log.entryAdded" && params?.level === "error") this.troubles.push(params.text ?? "");
    if (id === undefined) return;
    const waiting = this.#pending.get(id);
    this.#pending.delete(id);
    if (type === "success") waiting?.resolve(result);
    else waiting?.reject(new Error(`${error}: ${message}`));
  }
}
