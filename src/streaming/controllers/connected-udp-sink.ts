import type { PacketSink } from "../../rtp/packet-sink.ts";
import { type LanePacket, type QueueMemory, UdpQueue } from "../../rtp/udp-queue.ts";
import type { RtpTarget } from "./stream-opener.ts";

/** Nobody listens when a port is refused for so long without a pause of `PAUSE_MS`; a player may start after us. */
const GIVE_UP_MS = 5_000;
/** Systems tell of a closed port once a second. */
const PAUSE_MS = 2_500;

type Socket = Bun.udp.ConnectedSocket<"buffer">;

/** How long one port has been refused. */
interface Refusal {
  firstMs: number;
  lastMs: number;
}

/**
 * Sends packets to one client: channel `n` to port `target.port + n`, from a socket that is connected to it. So packets
 * go nowhere else, what comes in is the client's, and the system tells when nobody listens there.
 */
export class ConnectedUdpSink implements PacketSink {
  /** Given what the client sends to the sockets of RTCP, the odd channels. */
  onRtcp: (packet: Uint8Array) => void = () => undefined;
  /** Called once when no port of RTP has anybody listening for some seconds. */
  onUnreachable: () => void = () => undefined;
  /** Called when the sockets are free. */
  onClose: () => void = () => undefined;
  readonly #sockets: (Socket | null)[] = [];
  readonly #refusals = new Map<number, Refusal>();
  readonly #queue: UdpQueue<number, null>;
  #closed = false;

  private constructor(memory: QueueMemory) {
    this.#queue = new UdpQueue(memory, (channel, packets) => this.#sendTo(channel, packets));
  }

  /** Opens sockets for `channels` channels; rejects when the system refuses. What waits is counted in `memory`. */
  static async open({ address, port }: RtpTarget, channels: number, memory: QueueMemory): Promise<ConnectedUdpSink> {
    const sink = new ConnectedUdpSink(memory);
    try {
      for (let channel = 0; channel < channels; channel++) {
        const isRtcp = channel % 2 === 1;
        const socket = {
          data: (_socket: Socket, data: Uint8Array) => {
            if (isRtcp) sink.onRtcp(data);
          },
          error: () => {
            if (!isRtcp) sink.#refused(channel);
          },
        };
        const hostname = address.includes(":") ? "::" : "0.0.0.0";
        sink.#sockets.push(
          await Bun.udpSocket({ hostname, connect: { hostname: address, port: port + channel }, socket }),
        );
      }
      return sink;
    } catch (error) {
      sink.close();
      throw error;
    }
  }

  get pendingBytes(): number {
    return this.#queue.pendingBytes;
  }

  /** The address that packets leave from. */
  get localAddress(): string {
    return this.#sockets[0]?.address.address ?? "";
  }

  get localPorts(): number[] {
    return this.#sockets.flatMap((socket) => socket?.port ?? []);
  }

  send(frames: Uint8Array): void {
    this.#queue.send(frames, (channel) => ({ lane: channel, to: null }));
  }

  onDrain(resume: () => void): void {
    this.#queue.onDrain(resume);
  }

  /** Frees the sockets. Calling it again does nothing. */
  close(): void {
    this.#closed = true;
    this.#queue.close();
    for (const socket of this.#sockets.splice(0)) socket?.close();
    this.onClose();
  }

  /** How many the system took. */
  #sendTo(channel: number, packets: readonly LanePacket<number, null>[]): number {
    try {
      return Math.max(0, this.#sockets[channel]?.sendMany(packets.map(({ packet }) => packet)) ?? packets.length);
    } catch {
      // No way there right now; UDP promises nothing.
      if (channel % 2 === 0) this.#refused(channel);
      return packets.length;
    }
  }

  #refused(channel: number): void {
    if (this.#closed) return;
    const nowMs = performance.now();
    const last = this.#refusals.get(channel);
    const goesOn = last !== undefined && nowMs - last.lastMs < PAUSE_MS;
    this.#refusals.set(channel, { firstMs: goesOn ? last.firstMs : nowMs, lastMs: nowMs });
    // A player may leave a track alone: only when it takes none is there no player.
    const rtpChannels = this.#sockets.length / 2;
    const given = [...this.#refusals.values()].filter(
      ({ firstMs, lastMs }) => nowMs - lastMs < PAUSE_MS && nowMs - firstMs >= GIVE_UP_MS,
    );
    if (given.length < rtpChannels) return;
    this.#refusals.clear();
    this.onUnreachable();
  }
}
