import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceName } from "../../src/bus/contract.ts";
import { permissionsOf } from "../../src/bus/permissions.ts";
import { derivedLogin } from "../../src/config/bus-logins.ts";
import { contracts } from "../../src/contracts.ts";
import { freePort, startTestNats, type TestNats } from "./nats.ts";
import { until } from "./until.ts";

const program = join(import.meta.dir, "../../src/kinora.ts");
/** Services start on a machine that is busy with other tests. */
const START_MS = 60_000;

/** A process of a cluster: `kinora serve <services…>`. */
export interface ClusterProcess {
  readonly name: string;
  readonly url: string;
  /** Where its RTSP server listens, if it has one. */
  readonly rtspPort: number;
  /** Of the running process; 0 before the first start. */
  readonly pid: number;
  /** What it has printed. */
  output(): string;
  /** kill -9. */
  kill(): Promise<void>;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<number>;
  /** Starts it again, on the same port with the same data. */
  start(): Promise<void>;
}

export interface ClusterOptions {
  /** What its services may have besides. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Of that, what depends on where it listens. */
  readonly envAt?: (url: string) => Readonly<Record<string, string>>;
}

/** Kinora spread out over processes, with a real nats-server under our configuration. */
export class Cluster {
  readonly nats: TestNats;
  readonly folder: string;
  readonly #secret: string;
  readonly #processes: ClusterProcess[] = [];

  private constructor(nats: TestNats, folder: string, secret: string) {
    this.nats = nats;
    this.folder = folder;
    this.#secret = secret;
  }

  static async open(): Promise<Cluster> {
    const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
    const services: readonly ServiceName[] = ["main", "auth", "catalog", "upload", "streaming"];
    const logins = new Map(services.map((service) => [service, derivedLogin(secret, service)]));
    const nats = await startTestNats(permissionsOf(contracts), { logins });
    return new Cluster(nats, mkdtempSync(join(tmpdir(), "kinora-cluster-")), secret);
  }

  /** A process that runs these services, on a free port, with a data folder of its own; uploads and streaming share the media. */
  async run(name: string, services: readonly ServiceName[], options: ClusterOptions = {}): Promise<ClusterProcess> {
    const [port, rtspPort] = [await freePort(), await freePort()];
    const env = {
      PATH: process.env.PATH ?? "",
      HOME: this.folder,
      KINORA_LISTEN: `127.0.0.1:${port}`,
      KINORA_RTSP_LISTEN: `127.0.0.1:${rtspPort}`,
      KINORA_DATA: join(this.folder, name),
      KINORA_STORAGE: `file:${join(this.folder, "media")}`,
      KINORA_NATS: `nats://${this.nats.server}`,
      KINORA_SECRET: this.#secret,
      KINORA_REGISTRATION: "open",
      KINORA_LOG_LEVEL: "warn",
      ...options.env,
      ...options.envAt?.(`http://127.0.0.1:${port}`),
    };
    const command = [process.execPath, program, "serve", ...services, ...(options.args ?? [])];
    let child: Bun.Subprocess<"ignore", "pipe", "pipe"> | null = null;
    let output = "";
    const collect = async (stream: ReadableStream<Uint8Array>) => {
      const decoder = new TextDecoder();
      for await (const chunk of stream) output += decoder.decode(chunk, { stream: true });
    };
    const running = {
      name,
      url: `http://127.0.0.1:${port}`,
      rtspPort,
      get pid() {
        return child?.pid ?? 0;
      },
      output: () => output,
      async kill() {
        child?.kill("SIGKILL");
        await child?.exited;
      },
      async stop() {
        child?.kill("SIGTERM");
        return (await child?.exited) ?? 0;
      },
      async start() {
        child = Bun.spawn(command, { env, stdio: ["ignore", "pipe", "pipe"], cwd: process.cwd() });
        const [started, begin] = [child, output.length];
        void collect(started.stdout);
        void collect(started.stderr);
        await until(() => {
          if (started.exitCode !== null) throw new Error(`${name} ended: ${output}`);
          return /(is|are) at {2}http/.test(output.slice(begin));
        }, START_MS);
      },
    };
    this.#processes.push(running);
    await running.start();
    return running;
  }

  /** The one-time code for the first account, as auth printed it. */
  get firstAdminCode(): string | null {
    const printed = this.#processes.map((one) => one.output()).join("\n");
    return /takes this code:\s+(\S+)/.exec(printed)?.[1] ?? null;
  }

  async close(): Promise<void> {
    await Promise.all(this.#processes.map((one) => one.kill()));
    await this.nats.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
