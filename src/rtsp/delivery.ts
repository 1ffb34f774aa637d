import type { Delivery, SessionTrack } from "./session.ts";
import type { TcpWriter } from "./tcp-writer.ts";
import type { UdpPorts, UdpSink, UdpSinkContext } from "./udp-ports.ts";

/** Packets between the answers of the connection (RFC 2326 section 10.12). */
export function interleaved(writer: TcpWriter): Delivery {
  return {
    over: "tcp",
    transportOf: ({ channels }) => `RTP/AVP/TCP;unicast;interleaved=${channels.rtp}-${channels.rtcp}`,
    open: () => writer,
    // The connection ends with the session, and its writer with it.
    close: () => undefined,
  };
}

export interface DatagramOptions extends UdpSinkContext {
  readonly ports: UdpPorts;
  /** The client's own address: nothing is ever sent to another one. */
  readonly address: string;
  readonly onRtcp: (packet: Uint8Array) => void;
}

/** Packets to a client's UDP ports. */
export function datagrams({ ports, address, onRtcp, ...context }: DatagramOptions): Delivery {
  const listening: (() => void)[] = [];
  let sink: UdpSink | null = null;
  return {
    over: "udp",
    transportOf({ clientPorts }) {
      const { rtp, rtcp } = ports.ports;
      return `RTP/AVP;unicast;client_port=${clientPorts?.rtp}-${clientPorts?.rtcp};server_port=${rtp}-${rtcp}`;
    },
    open(tracks: readonly SessionTrack[]) {
      const udp = tracks.flatMap(({ channels, clientPorts }) => (clientPorts ? [{ channels, clientPorts }] : []));
      for (const { clientPorts } of udp) listening.push(ports.listen(address, clientPorts.rtcp, onRtcp));
      sink = ports.sinkFor(address, udp, context);
      return sink;
    },
    close() {
      for (const stop of listening) stop();
      sink?.close();
    },
  };
}
