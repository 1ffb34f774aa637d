import { StartError } from "../errors.ts";
import type { PacketSink } from "../rtp/packet-sink.ts";
import { type LanePacket, type QueueMemory, UdpQueue } from "../rtp/udp-queue.ts";
import type { Pair } from "./transport-header.ts";

/** Pairs of ports that are tried before there is none. */
const ATTEMPTS = 50;
type Socket = Bun.udp.Socket<"buffer">;

/** What a sink tells, and asks. */
export interface UdpSinkContext {
  readonly memory: QueueMemory;
  sent(bytes: number): void;
}

/** Where a track's packets go, by the channels they are marked with. */
export interface UdpTrack {
  readonly channels: Pair;
  readonly clientPorts: Pair;
}

/**
 * The two UDP ports, an even one for RTP and the next for RTCP (RFC 3550 section 11), that all sessions share. What
 * comes to the second is handed to the session that sends to where it came from; everything else is overlooked.
 */
export class UdpPorts {
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  readonly #receivers: Map<string, (packet: Uint8Array) => void>;

  private constructor(rtp: Socket, rtcp: Socket, receivers: Map<string, (packet: Uint8Array) => void>) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.#receivers = receivers;
  }

  /** Takes `port` (even) and the one after it; any two with 0. `StartError` when they cannot be had. */
  static async open(hostname: string, port: number): Promise<UdpPorts> {
    const receivers = new Map<string, (packet: Uint8Array) => void>();
    const receive = (_socket: unknown, data: Uint8Array, from: number, address: string) =>
      receivers.get(`${address}|${from}`)?.(data);
    let failure: unknown = null;
    for (let attempt = 0; attempt < (port === 0 ? ATTEMPTS : 1); attempt++) {
      let rtp: Socket | null = null;
      try {
        // What a client's machine says of a closed port (ICMP) is an error of the socket: it concerns one client only.
        rtp = await Bun.udpSocket({ hostname, port, socket: { error: () => undefined } });
        if (rtp.port % 2 !== 0) throw new Error("an odd port");
        const socket = { data: receive, error: () => undefined };
        return new UdpPorts(rtp, await Bun.udpSocket({ hostname, port: rtp.port + 1, socket }), receivers);
      } catch (error) {
        rtp?.close();
        failure = error;
      }
    }
    const which = port === 0 ? `two UDP ports on ${hostname}` : `the UDP ports ${port} and ${port + 1} on ${hostname}`;
    throw new StartError(`RTSP cannot have ${which}.`, "Choose others with `rtsp.udpPort` (KINORA_RTSP_UDP_PORT).", {
      cause: failure,
    });
  }

  get ports(): Pair {
    return { rtp: this.#rtp.port, rtcp: this.#rtcp.port };
  }

  /** Calls `receive` with what comes from a client's port for RTCP; whoever listened to it before no longer does. */
  listen(address: string, clientPort: number, receive: (packet: Uint8Array) => void): () => void {
    const key = `${address}|${clientPort}`;
    this.#receivers.set(key, receive);
    return () => {
      if (this.#receivers.get(key) === receive) this.#receivers.delete(key);
    };
  }

  /** A sink that sends to one client. */
  sinkFor(address: string, tracks: readonly UdpTrack[], context: UdpSinkContext): UdpSink {
    return new UdpSink(this.#rtp, this.#rtcp, address, tracks, context);
  }

  close(): void {
    this.#rtp.close();
    this.#rtcp.close();
    this.#receivers.clear();
  }
}

/** What is handed to `sendMany`: bytes, port, address, and again. */
type Batch = (Uint8Array | number | string)[];

/** A socket, and the client's port. */
type Way = Pick<LanePacket<Socket, number>, "lane" | "to">;

/** Sends the packets of one stream to one client's ports. */
export class UdpSink implements PacketSink {
  readonly #ways = new Map<number, Way>();
  readonly #address: string;
  readonly #context: UdpSinkContext;
  readonly #queue: UdpQueue<Socket, number>;

  constructor(rtp: Socket, rtcp: Socket, address: string, tracks: readonly UdpTrack[], context: UdpSinkContext) {
    this.#address = address;
    this.#context = context;
    this.#queue = new UdpQueue(context.memory, (socket, packets) => this.#sendTo(socket, packets));
    for (const { channels, clientPorts } of tracks) {
      this.#ways.set(channels.rtp, { lane: rtp, to: clientPorts.rtp });
      this.#ways.set(channels.rtcp, { lane: rtcp, to: clientPorts.rtcp });
    }
  }

  get pendingBytes(): number {
    return this.#queue.pendingBytes;
  }

  send(frames: Uint8Array): void {
    this.#queue.send(frames, (channel) => this.#ways.get(channel) ?? null);
  }

  onDrain(resume: () => void): void {
    this.#queue.onDrain(resume);
  }

  close(): void {
    this.#queue.close();
  }

  /** How many were taken. The first failure may be an old one, of another client's port: it is tried once more. */
  #sendTo(socket: Socket, packets: readonly LanePacket<Socket, number>[]): number {
    let sent = 0;
    for (let attempt = 0; attempt < 2 && sent < packets.length; attempt++) {
      const batch: Batch = packets.slice(sent).flatMap(({ to, packet }) => [packet, to, this.#address]);
      try {
        sent += Math.max(0, socket.sendMany(batch));
      } catch {
        // An address that cannot be reached right now; UDP promises nothing.
      }
    }
    for (const { packet } of packets.slice(0, sent)) this.#context.sent(packet.length);
    return sent;
  }
}
