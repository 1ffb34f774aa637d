import { randomInt } from "node:crypto";
import type { Logger } from "pino";
import { InvalidRequestError, TemporaryUnavailableError } from "../../errors.ts";
import { rtpTracksOf } from "../../media/rtp/rtp-tracks.ts";
import { sessionDescription } from "../../media/rtp/sdp.ts";
import type { RtpEngine } from "../../rtp/rtp-engine.ts";
import type { RtpStream } from "../../rtp/rtp-stream.ts";
import type { StopReason } from "../contract.ts";
import { NoRtpTrackError } from "../errors.ts";
import type { RtpTitle } from "../rtp-originals.ts";
import { ConnectedUdpSink } from "./connected-udp-sink.ts";
import type { RtpPush } from "./stream-controller.ts";
import type { RtpPushes, RtpTarget } from "./stream-opener.ts";

/** The client has this long to give the description to its player before packets come. */
const HEAD_START_MS = 500;

const HIGHEST_PORT = 65_535;

/** RTP from the engine to clients, over UDP. */
export class EnginePushes implements RtpPushes {
  readonly #engine: RtpEngine;
  readonly #log: Logger;

  constructor(engine: RtpEngine, log: Logger) {
    this.#engine = engine;
    this.#log = log;
  }

  /**
   * Takes the sockets and describes what will come. `NoRtpTrackError` when RTP carries nothing of the title,
   * `InvalidRequestError` when it has more tracks than there are ports above `target.port`, or one of them is Kinora's own.
   */
  async open({ name, original }: RtpTitle, target: RtpTarget): Promise<{ push: RtpPush; sdp: string }> {
    const { tracks } = rtpTracksOf(original.presentation);
    if (tracks.length === 0) throw new NoRtpTrackError();
    const channels = 2 * tracks.length;
    if (target.port + channels - 1 > HIGHEST_PORT)
      throw new InvalidRequestError(`This video takes ${channels} ports: choose a lower clientPort.`);
    const ports = Array.from({ length: channels }, (_, channel) => target.port + channel);
    const own = ports.find((port) => this.#engine.ownPorts.has(target.address, port));
    if (own !== undefined)
      throw new InvalidRequestError(`Port ${own} is one that Kinora sends from: choose another clientPort.`, {
        fields: [{ field: "clientPort", expected: "ports of a player" }],
      });
    if (!this.#engine.memory.makeRoom())
      throw new TemporaryUnavailableError("Kinora has no memory left for one more stream.");
    const sink = await ConnectedUdpSink.open(target, channels, this.#engine.memory).catch((cause: unknown) => {
      throw new TemporaryUnavailableError("Kinora has no way to send RTP to your address.", { cause });
    });
    const leave = sink.localPorts.map((port) => this.#engine.ownPorts.add(port));
    sink.onClose = () => {
      for (const one of leave) one();
    };
    const numbered = tracks.map(({ trackId }, n) => ({ trackId, rtpChannel: 2 * n, rtcpChannel: 2 * n + 1 }));
    const stream = this.#engine.open({ original, tracks: numbered, sink });
    const sdp = sessionDescription({
      ...{ name, tracks },
      sessionId: String(randomInt(2 ** 47)),
      durationSeconds: original.presentation.description.durationSeconds,
      originAddress: sink.localAddress,
      connectionAddress: target.address,
      portOf: (track) => target.port + 2 * tracks.indexOf(track),
    });
    return { push: new EnginePush(stream, sink, this.#log), sdp };
  }
}

type PushState = "waiting" | "playing" | "paused" | "over";

/** One stream of packets to one client; begins by itself after a head start. */
class EnginePush implements RtpPush {
  onEnd: (reason: StopReason | null) => void = () => undefined;
  readonly #stream: RtpStream;
  readonly #sink: ConnectedUdpSink;
  readonly #log: Logger;
  readonly #headStart: ReturnType<typeof setTimeout>;
  #state: PushState = "waiting";

  constructor(stream: RtpStream, sink: ConnectedUdpSink, log: Logger) {
    this.#stream = stream;
    this.#sink = sink;
    this.#log = log;
    this.#headStart = setTimeout(() => this.resume(), HEAD_START_MS);
    sink.onRtcp = (packet) => void stream.handleRtcp(packet);
    sink.onUnreachable = () => this.#over("unreachable");
    stream.onEnd(({ kind, reason, cause }) => {
      if (kind !== "ended") log.warn({ err: cause, reason }, "RTP ended before its time");
      this.#over({ ended: null, "too-slow": "unreachable" as const, failed: "failed" as const }[kind]);
    });
  }

  pause(): void {
    if (this.#state === "over") return;
    clearTimeout(this.#headStart);
    this.#state = "paused";
    this.#stream.pause();
  }

  resume(): void {
    if (this.#state === "over" || this.#state === "playing") return;
    clearTimeout(this.#headStart);
    this.#state = "playing";
    this.#stream.play({ startSeconds: null, endSeconds: null, scale: 1 }).then(
      // Paused while it was getting ready.
      () => this.#state === "paused" && this.#stream.pause(),
      (error: unknown) => {
        if (this.#state === "over") return;
        this.#log.warn({ err: error }, "RTP could not begin");
        this.#over("failed");
      },
    );
  }

  close(): void {
    clearTimeout(this.#headStart);
    this.#state = "over";
    this.#stream.close();
    this.#sink.close();
  }

  #over(reason: StopReason | null): void {
    if (this.#state === "over") return;
    this.#state = "over";
    clearTimeout(this.#headStart);
    this.onEnd(reason);
  }
}
