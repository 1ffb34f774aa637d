import pino from "pino";
import { UnauthorizedError, WrongMediaIdError } from "../../src/errors.ts";
import { openMedia } from "../../src/media/open.ts";
import { RtpEngine, type RtpEngineOptions } from "../../src/rtp/rtp-engine.ts";
import type { RtspCredential } from "../../src/rtsp/authorization-header.ts";
import type { RtspLimits } from "../../src/rtsp/limits.ts";
import { RtspServer } from "../../src/rtsp/server.ts";
import type { ControlledSession, OpenTitle, RtspTitles } from "../../src/rtsp/titles.ts";
import { type FixtureName, fixture } from "./fixtures.ts";
import { fileSource } from "./packets.ts";
import { RtspClient } from "./rtsp-client.ts";

export const GRANT = "header.payload.signature";

/** An RTSP server whose titles a test makes up: each is a fixture, for whoever shows `GRANT`. */
export class RtspStage implements RtspTitles {
  readonly opened: string[] = [];
  readonly ended: string[] = [];
  readonly registered: ControlledSession[] = [];
  readonly logged: string[] = [];
  readonly engine: RtpEngine;
  readonly server: RtspServer;
  readonly #cuts = new Set<(reason: string) => void>();
  readonly #titles = new Map<string, Promise<OpenTitle>>();
  readonly #clients: RtspClient[] = [];

  private constructor(server: RtspServer, engine: RtpEngine) {
    this.server = server;
    this.engine = engine;
    server.serve({ titles: this, engine: this.engine });
  }

  static async start(
    limits: Partial<RtspLimits> = {},
    host = "127.0.0.1",
    engine: RtpEngineOptions = {},
  ): Promise<RtspStage> {
    const lines: string[] = [];
    const log = pino({ level: "debug" }, { write: (line: string) => void lines.push(line) });
    const server = await RtspServer.listen({ host, port: 0, udpPort: 0, limits, log });
    const stage = new RtspStage(server, new RtpEngine(engine));
    Object.defineProperty(stage, "logged", { value: lines });
    return stage;
  }

  get port(): number {
    return this.server.port;
  }

  get rtcpPort(): number {
    return this.server.udpPorts.rtcp;
  }

  /** The URL of a fixture, with the grant. */
  url(name: FixtureName): string {
    return `${this.bare(name)}?grant=${GRANT}`;
  }

  bare(name: FixtureName): string {
    return `rtsp://127.0.0.1:${this.port}/${name}`;
  }

  async connect(): Promise<RtspClient> {
    const client = await RtspClient.connect(this.port);
    this.#clients.push(client);
    return client;
  }

  /** Ends everybody's right to play. */
  cutAll(reason: string): void {
    for (const cut of [...this.#cuts]) cut(reason);
  }

  async open(titleId: string, credential: RtspCredential | null): Promise<OpenTitle> {
    this.opened.push(titleId);
    if (credential?.text !== GRANT) throw new UnauthorizedError();
    if (!/\.(mp4|mkv)$/.test(titleId)) throw new WrongMediaIdError();
    const known = this.#titles.get(titleId) ?? this.#make(titleId as FixtureName);
    this.#titles.set(titleId, known);
    return known;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.server.close();
    this.engine.close();
  }

  async #make(name: FixtureName): Promise<OpenTitle> {
    const source = await fileSource(await fixture(name));
    const { presentation } = await openMedia(source);
    if (!presentation) throw new WrongMediaIdError();
    return {
      titleId: name,
      name,
      durationSeconds: presentation.description.durationSeconds,
      original: { key: name, presentation, read: (use) => use(source) },
      viewer: { grantId: "some", userId: "somebody" },
      onCut: (cut) => {
        this.#cuts.add(cut);
        return () => this.#cuts.delete(cut);
      },
      register: (session) => {
        this.registered.push(session);
        return { ended: () => void this.ended.push(name), release: () => undefined };
      },
    };
  }
}
