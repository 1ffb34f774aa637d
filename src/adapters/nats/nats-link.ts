import { readFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect, errors } from "@nats-io/transport-node";
import { type BusIdentity, MESSAGE_BYTES_MAX } from "../../bus/bus.ts";
import { MessageTooLargeError } from "../../bus/errors.ts";
import { StartError, TemporaryUnavailableError } from "../../errors.ts";
import { subjects } from "./nats-subjects.ts";

/** Between attempts to reach the broker: the first wait and the longest, in milliseconds. */
const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 1_000;
/** An attempt that hangs is given up after this. */
const CONNECT_MS = 5_000;
/** A broker that is silent for two of these is given up, and the next connection tried. */
const PING_MS = 2_500;
/** A broker that restarts is back by then; after that calls do not wait for it. */
const PATIENCE_MS = 3_000;
/** For who must know that nothing was missed: how often the broker is asked, and for how long its answer counts. */
const PULSE_MS = 300;
const CERTAIN_MS = 1_000;
/** What a message may hold beside its body: operation, calling instance, time-out. */
const ENVELOPE_BYTES = 1_000;
/** How long the last messages may take to leave. */
const FLUSH_MS = 1_000;

export interface NatsAccess {
  /** `host:port` of each server of the cluster. */
  readonly servers: readonly string[];
  readonly tls: boolean;
  /** Certificates that the broker's is checked against; the system's when null. */
  readonly ca: string | null;
  /** How a service signs in; null without credentials. */
  readonly loginOf: (service: BusIdentity["service"]) => { readonly user: string; readonly password: string } | null;
  /** Told when a start waits for the broker. */
  readonly onWaiting?: (message: string) => void;
  /** Told when it is lost, and back. */
  readonly onReachable?: (isThere: boolean, reason?: string) => void;
}

/** A member's connection to the broker, and whether it stands right now. */
export class NatsLink {
  readonly connection: NatsConnection;
  readonly #access: NatsAccess;
  readonly #cutHandlers = new Set<() => void>();
  readonly #backHandlers = new Set<() => void>();
  #online: PromiseWithResolvers<void> | null = null;
  #lostAtMs = 0;
  #pulse: Timer | null = null;
  /** When the last ping that was answered was sent, and when the broker's machine last said that there is no broker. */
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #refusedAtMs = Number.NEGATIVE_INFINITY;

  private constructor(connection: NatsConnection, access: NatsAccess) {
    this.connection = connection;
    this.#access = access;
    void this.#follow();
  }

  /** Connects; waits for a broker that is not there yet. `StartError` when it refuses the credentials. */
  static async open({ service, instance }: BusIdentity, access: NatsAccess, closed: AbortSignal): Promise<NatsLink> {
    const login = access.loginOf(service);
    const backOff = new BackOff();
    const options = {
      servers: [...access.servers],
      name: `${service} ${instance}`,
      inboxPrefix: subjects.inbox(service),
      ...(login ? { user: login.user, pass: login.password } : {}),
      ...(access.tls ? { tls: access.ca === null ? {} : { ca: readCa(access.ca) } } : {}),
      maxReconnectAttempts: -1,
      reconnectDelayHandler: () => backOff.next(),
      ignoreAuthErrorAbort: true,
      timeout: CONNECT_MS,
      pingInterval: PING_MS,
      maxPingOut: 2,
    };
    for (;;) {
      try {
        const connection = await connect(options);
        backOff.reset();
        const link = new NatsLink(connection, access);
        link.onBack(() => backOff.reset());
        return link;
      } catch (error) {
        if (closed.aborted) throw error;
        if (error instanceof errors.AuthorizationError) throw refused(access, login?.user ?? null, error);
        if (backOff.isFirst)
          access.onWaiting?.(`${service} waits for the broker at ${access.servers.join(", ")}: ${error}`);
        await Bun.sleep(backOff.next());
      }
    }
  }

  /** The largest body, in bytes, that the bus and the broker take. */
  get maxBytes(): number {
    const { max_payload = 1 << 20 } = this.connection.info ?? {};
    return Math.min(MESSAGE_BYTES_MAX, max_payload - ENVELOPE_BYTES);
  }

  /** Throws `MessageTooLargeError` for a body that is too large. */
  requireSize(where: string, body: string): void {
    const most = this.maxBytes;
    // No text takes more than three bytes for each of its units.
    if (body.length * 3 <= most) return;
    const bytes = Buffer.byteLength(body);
    if (bytes > most) throw new MessageTooLargeError(where, bytes, most);
  }

  get isOnline(): boolean {
    return this.#online === null;
  }

  /** How long it is worth waiting for the broker, in milliseconds: a moment after it was lost, and then no more. */
  get patienceMs(): number {
    return Math.max(0, this.#lostAtMs + PATIENCE_MS - performance.now());
  }

  /** Waits until the broker is there, at most so long: `temporary-unavailable` then, or the signal's reason. */
  async online(withinMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#online === null) return;
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new TemporaryUnavailableError("The broker is away.")), withinMs);
    const onAbort = () => late.reject(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([this.#online.promise, late.promise]);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Calls back when the connection is lost: what was under way may never be answered. */
  onCut(handler: () => void): void {
    this.#cutHandlers.add(handler);
  }

  /** Calls back when it stands again. The result ends that. */
  onBack(handler: () => void): () => void {
    this.#backHandlers.add(handler);
    return () => void this.#backHandlers.delete(handler);
  }

  /** As the port describes it. The broker is asked from the first call on. */
  hears(): "all" | "nothing" | "unknown" {
    if (this.#pulse === null) {
      this.#pulse = setInterval(() => void this.#feel(), PULSE_MS);
      this.#pulse.unref?.();
      void this.#feel();
    }
    const since = performance.now() - CERTAIN_MS;
    if (this.isOnline && this.#heardAtMs > since) return "all";
    return this.#refusedAtMs > since ? "nothing" : "unknown";
  }

  /** Messages come in order: with the answer to a ping all has come that the broker had before it. */
  async #feel(): Promise<void> {
    const sentAtMs = performance.now();
    if (!this.isOnline) {
      if (await isRefused(this.#access.servers)) this.#refusedAtMs = sentAtMs;
      return;
    }
    await this.connection.flush().then(
      () => {
        this.#heardAtMs = Math.max(this.#heardAtMs, sentAtMs);
      },
      () => undefined,
    );
  }

  /** Sends what is left and ends. */
  async close(): Promise<void> {
    if (this.#pulse) clearInterval(this.#pulse);
    if (this.isOnline) await Promise.race([this.connection.flush().catch(() => undefined), Bun.sleep(FLUSH_MS)]);
    await this.connection.close();
  }

  async #follow(): Promise<void> {
    for await (const { type } of this.connection.status()) {
      if (type === "disconnect" && this.#online === null) {
        this.#online = Promise.withResolvers();
        this.#lostAtMs = performance.now();
        this.#access.onReachable?.(false, "the connection is lost");
        for (const handler of this.#cutHandlers) handler();
      } else if (type === "reconnect" && this.#online !== null) {
        this.#online.resolve();
        this.#online = null;
        this.#access.onReachable?.(true);
        for (const handler of this.#backHandlers) handler();
      }
    }
  }
}

/** Whether every server's machine is there and says that no broker is. */
async function isRefused(servers: readonly string[]): Promise<boolean> {
  const refusals = servers.map((server) => {
    const { hostname, port } = new URL(`nats://${server}`);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const socket = connectTcp({
      host: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port || 4222),
      timeout: CERTAIN_MS,
    });
    socket.on("error", (error) => resolve("code" in error && error.code === "ECONNREFUSED"));
    socket.on("connect", () => resolve(false));
    socket.on("timeout", () => resolve(false));
    return promise.finally(() => socket.destroy());
  });
  return (await Promise.all(refusals)).every(Boolean);
}

/** Waits that double, with some randomness, so that a broker that is back is not stormed. */
class BackOff {
  #waitMs = FIRST_WAIT_MS;

  get isFirst(): boolean {
    return this.#waitMs === FIRST_WAIT_MS;
  }

  next(): number {
    const waitMs = this.#waitMs * (0.5 + Math.random() / 2);
    this.#waitMs = Math.min(this.#waitMs * 2, LONGEST_WAIT_MS);
    return waitMs;
  }

  reset(): void {
    this.#waitMs = FIRST_WAIT_MS;
  }
}

function readCa(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new StartError(`The certificates in ${path} cannot be read.`, "`bus.ca` (KINORA_BUS_CA) names them.", {
      cause,
    });
  }
}

function refused({ servers }: NatsAccess, user: string | null, cause: Error): StartError {
  const who = user === null ? "a connection without credentials" : `the credentials of ${user}`;
  return new StartError(
    `The broker at ${servers.join(", ")} refuses ${who}.`,
    "They come from `nats`, from the file that `bus.credentials` names, or from `secret`; `kinora nats-config` writes the broker's side.",
    { cause },
  );
}
