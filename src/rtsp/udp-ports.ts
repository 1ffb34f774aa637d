import { StartError } from "../errors.ts";
import { forEachPacket, type PacketSink } from "../rtp/packet-sink.ts";
import type { Pair } from "./transport-header.ts";

/** Pairs of ports that are tried before there is none. */
const ATTEMPTS = 50;
/** More waits for nobody: packets beyond it are lost, as UDP loses packets. */
const MAX_QUEUED_BYTES = 512 * 1024;
/** The socket is tried again after this, in milliseconds, should it not tell by itself. */
const RETRY_MS = 5;

type Socket = Bun.udp.Socket<"buffer">;

/** Counts what waits for the network, of all. */
export interface QueueMemory {
  readonly isFull: boolean;
  queued(bytes: number): void;
}

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

interface Way {
  readonly socket: Socket;
  readonly port: number;
}

/** Sends the packets of one stream to one client's ports. */
export class UdpSink implements PacketSink {
  readonly #ways = new Map<number, Way>();
  readonly #address: string;
  readonly #context: UdpSinkContext;
  #queue: { readonly way: Way; readonly packet: Uint8Array }[] = [];
  #pending = 0;
  #retry: ReturnType<typeof setTimeout> | null = null;
  #resume: (() => void) | null = null;

  constructor(rtp: Socket, rtcp: Socket, address: string, tracks: readonly UdpTrack[], context: UdpSinkContext) {
    this.#address = address;
    this.#context = context;
    for (const { channels, clientPorts } of tracks) {
      this.#ways.set(channels.rtp, { socket: rtp, port: clientPorts.rtp });
      this.#ways.set(channels.rtcp, { socket: rtcp, port: clientPorts.rtcp });
    }
  }

  get pendingBytes(): number {
    return this.#pending;
  }

  send(frames: Uint8Array): void {
    const bySocket = new Map<Socket, { readonly way: Way; readonly packet: Uint8Array }[]>();
    forEachPacket(frames, (channel, packet) => {
      const way = this.#ways.get(channel);
      if (!way) return;
      const packets = bySocket.get(way.socket) ?? [];
      packets.push({ way, packet });
      bySocket.set(way.socket, packets);
    });
    for (const [socket, packets] of bySocket) {
      const sent = this.#queue.length === 0 ? this.#sendTo(socket, packets) : 0;
      for (const { way, packet } of packets.slice(sent)) this.#keep(way, packet);
    }
  }

  onDrain(resume: () => void): void {
    this.#resume = resume;
    if (this.#pending === 0) queueMicrotask(() => this.#drained());
  }

  close(): void {
    if (this.#retry) clearTimeout(this.#retry);
    this.#retry = null;
    this.#queue = [];
    this.#changePending(-this.#pending);
    this.#resume = null;
  }

  /** How many were taken. The first failure may be an old one, of another client's port: it is tried once more. */
  #sendTo(socket: Socket, packets: readonly { readonly way: Way; readonly packet: Uint8Array }[]): number {
    let sent = 0;
    for (let attempt = 0; attempt < 2 && sent < packets.length; attempt++) {
      const batch: Batch = packets.slice(sent).flatMap(({ way, packet }) => [packet, way.port, this.#address]);
      try {
        sent += Math.max(0, socket.sendMany(batch));
      } catch {
        // An address that cannot be reached right now; UDP promises nothing.
      }
    }
    for (const { packet } of packets.slice(0, sent)) this.#context.sent(packet.length);
    return sent;
  }

  #keep(way: Way, packet: Uint8Array): void {
    if (this.#pending + packet.length > MAX_QUEUED_BYTES || this.#context.memory.isFull) return;
    this.#queue.push({ way, packet: packet.slice() });
    this.#changePending(packet.length);
    this.#retry ??= setTimeout(() => this.#again(), RETRY_MS);
  }

  /** Sends what waits, as far as it goes. A stream whose packets nobody takes any more ends as too slow. */
  #again(): void {
    this.#retry = null;
    const queue = this.#queue;
    this.#queue = [];
    this.#changePending(-this.#pending);
    let at = 0;
    while (at < queue.length) {
      const { socket } = queue[at]?.way ?? {};
      if (!socket) break;
      let end = at;
      while (queue[end]?.way.socket === socket) end++;
      const sent = this.#sendTo(socket, queue.slice(at, end));
      at += sent;
      if (at < end) break;
    }
    for (const { way, packet } of queue.slice(at)) this.#keep(way, packet);
    if (this.#pending === 0) this.#drained();
  }

  #changePending(bytes: number): void {
    this.#pending += bytes;
    this.#context.memory.queued(bytes);
  }

  #drained(): void {
    const resume = this.#resume;
    this.#resume = null;
    resume?.();
  }
}
