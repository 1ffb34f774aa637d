import type { Config } from "../config/schema.ts";
import { formatListenAddress } from "../config/values.ts";
import { StartError } from "../errors.ts";
import { lanAddresses } from "../http/addresses.ts";
import type { Metrics } from "../http/metrics.ts";
import { RtpEngine } from "../rtp/rtp-engine.ts";
import { RtspServer } from "../rtsp/server.ts";
import type { Composition } from "./composition.ts";

/** Where players reach the RTSP server from elsewhere. */
export function advertisedRtsp({ rtsp: { advertise } }: Config, { host, port }: RtspServer): string {
  if (advertise) return formatListenAddress(advertise);
  const isWildcard = host === "0.0.0.0" || host === "::";
  return formatListenAddress({ host: isWildcard ? (lanAddresses()[0] ?? host) : host, port });
}

/** Sends RTP in this process, and counts what comes too late. */
export function openRtp({ rtsp }: Config, metrics: Metrics): RtpEngine {
  const engine = new RtpEngine({ memoryBytes: rtsp.memory });
  metrics.gauge({
    name: "kinora_rtp_memory_bytes",
    help: "Bytes of RTP packets in memory, all of them, and those kept for further streams too.",
    label: "use",
    read() {
      const { memoryBytes, cachedBytes } = engine.statistics;
      return { all: memoryBytes, cache: cachedBytes };
    },
  });
  metrics.counter({
    name: "kinora_rtp_packets_total",
    help: "RTP packets sent, by whether that was before they were due.",
    label: "sent",
    read() {
      const { packets, latePackets } = engine.statistics;
      return { "in-time": packets - latePackets, late: latePackets };
    },
  });
  return engine;
}

/** Takes the port for RTSP where streaming runs; null where it is off, or another program has the default address. */
export async function listenRtsp(
  { config, names, log }: Pick<Composition, "config" | "names" | "log">,
  metrics: Metrics,
) {
  const { listen: address, isRequired, udpPort, sessionTimeout, perGrant, perUser, perAddress } = config.rtsp;
  if (address === null || !names.includes("streaming")) return null;
  const limits = {
    sessionTimeoutMs: sessionTimeout,
    ...{ sessionsOfGrant: perGrant, sessionsOfUser: perUser },
    ...{ sessionsOfAddress: perAddress, connectionsOfAddress: perAddress },
  };
  try {
    const server = await RtspServer.listen({ ...address, udpPort, limits, log: log.child({ service: "rtsp" }) });
    metrics.gauge({
      name: "kinora_rtsp_sessions",
      help: "RTSP sessions right now, by how their packets travel.",
      label: "transport",
      read: () => server.sessionCounts,
    });
    metrics.gauge({
      name: "kinora_rtsp_connections",
      help: "RTSP connections right now, by whether they may play something.",
      label: "state",
      read: () => server.connectionCounts,
    });
    metrics.counter({
      name: "kinora_rtsp_sent_bytes_total",
      help: "Bytes sent by the RTSP server, by how they travel.",
      label: "transport",
      read: () => server.bytesSent,
    });
    return server;
  } catch (error) {
    if (isRequired || !(error instanceof StartError)) throw error;
    log.warn({ hint: error.hint }, `Kinora starts without RTSP. ${error.message}`);
    return null;
  }
}
