import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceName } from "../../src/bus/contract.ts";
import { permissionsOf } from "../../src/bus/permissions.ts";
import { derivedLogin } from "../../src/config/bus-logins.ts";
import { contracts } from "../../src/contracts.ts";
import type { Namespace } from "./namespaces.ts";
import { freePort, startTestNats, type TestNats } from "./nats.ts";
import { until } from "./until.ts";

const root = join(import.meta.dir, "../..");
/** As `npm start` runs it: it starts in half the time of its sources. */
const program = join(root, "dist/server/kinora.js");
/** Services start on a machine that is busy with other tests. */
const START_MS = 60_000;

/** A process of a cluster: `kinora serve <services…>`. */
export interface ClusterProcess {
  readonly name: string;
  readonly url: string;
  /** Where its RTSP server listens, if it has one. */
  readonly rtspPort: number;
  /** Of the running process; 0 while none runs. */
  readonly pid: number;
  /** What it has printed. */
  output(): string;
  /** kill -9. */
  kill(): Promise<void>;
  /** It hangs, with its connections open, until it is resumed. */
  pause(): void;
  resume(): void;
  /** Where it runs; null for this machine. */
  readonly network: Namespace | null;
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
  /** Where it runs; on this machine by default. */
  readonly network?: Namespace | undefined;
}

/** Bundles the sources, when they have changed. */
async function buildServer(): Promise<void> {
  const build = Bun.spawn([process.execPath, join(root, "scripts/build-server.ts")], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if ((await build.exited) !== 0) throw new Error("the server could not be bundled");
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

  /** `host` is where its broker listens. */
  static async open(host = "127.0.0.1"): Promise<Cluster> {
    await buildServer();
    const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
    const services: readonly ServiceName[] = ["main", "auth", "catalog", "upload", "streaming"];
    const logins = new Map(services.map((service) => [service, derivedLogin(secret, service)]));
    const nats = await startTestNats(permissionsOf(contracts), { logins }, host);
    return new Cluster(nats, mkdtempSync(join(tmpdir(), "kinora-cluster-")), secret);
  }

  /** A process that runs these services, on a free port, with a data folder of its own; uploads and streaming share the media. */
  async run(name: string, services: readonly ServiceName[], options: ClusterOptions = {}): Promise<ClusterProcess> {
    const [port, rtspPort] = [await freePort(), await freePort()];
    const host = options.network?.address ?? "127.0.0.1";
    const env = {
      PATH: process.env.PATH ?? "",
      HOME: this.folder,
      KINORA_LISTEN: `${host}:${port}`,
      KINORA_RTSP_LISTEN: `${host}:${rtspPort}`,
      KINORA_DATA: join(this.folder, name),
      KINORA_STORAGE: `file:${join(this.folder, "media")}`,
      KINORA_NATS: `nats://${this.nats.server}`,
      KINORA_SECRET: this.#secret,
      KINORA_REGISTRATION: "open",
      KINORA_LOG_LEVEL: "warn",
      ...options.env,
      ...options.envAt?.(`http://${host}:${port}`),
    };
    const where = options.network?.command ?? [];
    const command = [...where, process.execPath, program, "serve", ...services, ...(options.args ?? [])];
    let child: Bun.Subprocess<"ignore", "pipe", "pipe"> | null = null;
    let output = "";
    const collect = async (stream: ReadableStream<Uint8Array>) => {
      const decoder = new TextDecoder();
      for await (const chunk of stream) output += decoder.decode(chunk, { stream: true });
    };
    const running = {
      name,
      url: `http://${host}:${port}`,
      rtspPort,
      network: options.network ?? null,
      get pid() {
        return child?.exitCode === null ? child.pid : 0;
      },
      pause: () => child?.kill("SIGSTOP"),
      resume: () => child?.kill("SIGCONT"),
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
