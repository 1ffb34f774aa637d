import { afterEach, describe, expect, test } from "bun:test";
import { rtpHeaderOf } from "../../test/support/rtsp-client.ts";
import { GRANT, RtspStage } from "../../test/support/rtsp-stage.ts";
import { until } from "../../test/support/until.ts";
import type { RtspLimits } from "./limits.ts";

const FILM = "h264-aac-3.72s.mp4";
const LONG = "h264-aac-heavy.mp4";

let stage: RtspStage;
afterEach(() => stage.close());
const start = async (limits: Partial<RtspLimits> = {}) => {
  stage = await RtspStage.start(limits);
  return stage;
};

const udpSocket = async (onData: (data: Uint8Array) => void = () => undefined) => {
  const socket = { data: (_socket: unknown, data: Uint8Array) => onData(data), error: () => undefined };
  return Bun.udpSocket({ hostname: "127.0.0.1", socket });
};

describe("messages that are refused", () => {
  const refused: readonly [what: string, bytes: string, status: number][] = [
    ["headers without end", `OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n${"X: y\r\n".repeat(10_000)}`, 400],
    ["one header without end", `OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nX: ${"y".repeat(100_000)}`, 400],
    ["a URL without end", `OPTIONS rtsp://${"a".repeat(100_000)}`, 400],
    ["a large body", "SET_PARAMETER * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 4000000000\r\n\r\n", 413],
    [
      "HTTP",
      "POST / HTTP/1.1\r\nHost: kinora\r\nContent-Length: 50\r\n\r\nDESCRIBE rtsp://host/a RTSP/1.0\r\nCSeq: 1\r\n\r\n",
      400,
    ],
    ["another version", "OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n", 505],
    ["noise", "\xff\xfe\x00\x01".repeat(1_000), 400],
  ];
  for (const [what, bytes, status] of refused) {
    test(`${what}: ${status}, and the connection is closed`, async () => {
      const client = await (await start()).connect();
      client.raw(bytes);
      expect((await client.nextAnswer()).status).toBe(status);
      await until(() => client.isClosed);
      expect(client.answers).toHaveLength(1);
    });
  }

  test("interleaved packets of channels that nobody set up are overlooked, endless ones too", async () => {
    const client = await (await start()).connect();
    const garbage = new Uint8Array(4 + 65_535).fill(0xa5);
    garbage.set([0x24, 77, 0xff, 0xff]);
    for (let n = 0; n < 200; n++) {
      client.raw(garbage.subarray(0, 30_000));
      client.raw(garbage.subarray(30_000));
      await Bun.sleep(0);
    }
    expect((await client.ask("OPTIONS", "*")).status).toBe(200);
  });

  test("what is no RTCP on an RTCP channel is overlooked", async () => {
    const client = await (await start()).connect();
    await client.play(stage.url(FILM));
    for (const data of [[], [0x80], [0x80, 201, 0xff, 0xff], new Array(2_000).fill(0x81)]) {
      client.raw(Uint8Array.from([0x24, 1, data.length >> 8, data.length & 0xff, ...data]));
    }
    expect((await client.ask("OPTIONS", "*")).status).toBe(200);
    await until(() => client.packets.length > 20);
  });
});

describe("too much of something", () => {
  test("requests without a right to anything: 403 after so many, and the connection is closed", async () => {
    const client = await (await start({ requestsBeforeAuthorisation: 5 })).connect();
    const statuses: number[] = [];
    for (let n = 0; n < 6; n++) statuses.push((await client.ask("DESCRIBE", stage.bare(FILM))).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 403]);
    await until(() => client.isClosed);
  });

  test("connections of one address that play: the next is told 503, and the log tells in one line of many", async () => {
    await start({ connectionsOfAddress: 3, refusalsToldEveryMs: 1_000 });
    for (let n = 0; n < 3; n++) await (await stage.connect()).play(stage.url(FILM));
    const refused = () => stage.logged.filter((line) => line.includes("connections refused"));
    for (let n = 0; n < 20; n++) {
      const one = await stage.connect();
      expect((await one.nextAnswer()).status).toBe(503);
      await until(() => one.isClosed);
    }
    await until(() => refused().reduce((sum, line) => sum + JSON.parse(line).refused, 0) === 20);
    expect(refused().length).toBeLessThan(5);
  });

  test("half-open connections of one address make room for one that wants to play from there", async () => {
    await start({ connectionsOfAddress: 10 });
    const hoarded = await Promise.all(Array.from({ length: 10 }, () => stage.connect()));
    await until(() => stage.server.connectionCounts.other === 10);
    const player = await stage.connect();
    await player.play(stage.url(FILM));
    await until(() => hoarded.filter(({ isClosed }) => isClosed).length === 1);
    expect(stage.server.connectionCounts).toEqual({ authorised: 1, other: 9 });
  });

  test("connections in all: whoever has no right to anything makes room, whoever plays stays", async () => {
    await start({ connections: 10 });
    const player = await stage.connect();
    await player.play(stage.url(FILM));
    for (let n = 0; n < 30; n++) await stage.connect();
    await until(() => stage.server.connectionCounts.other <= 9);
    expect((await player.ask("GET_PARAMETER", stage.bare(FILM))).status).toBe(200);
    const last = await stage.connect();
    expect((await last.ask("DESCRIBE", stage.url(FILM))).status).toBe(200);
  });

  const setUp = async (client: Awaited<ReturnType<RtspStage["connect"]>>) => {
    client.session = null;
    return client.ask("SETUP", `${stage.bare(FILM)}/trackID=1`, { Transport: "RTP/AVP/TCP" });
  };

  test("sessions that play: 453 for one more, and those that are end as they should", async () => {
    const client = await (await start({ sessionsOfAddress: 3 })).connect();
    await client.ask("DESCRIBE", stage.url(FILM));
    for (let n = 0; n < 3; n++) {
      expect((await setUp(client)).status).toBe(200);
      expect((await client.ask("PLAY", stage.bare(FILM))).status).toBe(200);
    }
    expect((await setUp(client)).status).toBe(453);
    client.close();
    await until(() => stage.server.sessionCounts.tcp === 0);
  });

  test("sessions under one grant, or of one user: 453 for one more, whatever connection it comes by", async () => {
    for (const limits of [{ sessionsOfGrant: 2 }, { sessionsOfUser: 2 }]) {
      await start(limits);
      for (let n = 0; n < 2; n++) await (await stage.connect()).play(stage.url(FILM));
      const third = await stage.connect();
      await third.ask("DESCRIBE", stage.url(FILM));
      expect((await setUp(third)).status).toBe(453);
      await stage.close();
    }
    await start();
  });

  test("sessions that were never played make room, and end with their connection", async () => {
    const hoarder = await (await start({ sessions: 5 })).connect();
    await hoarder.ask("DESCRIBE", stage.url(FILM));
    for (let n = 0; n < 5; n++) {
      hoarder.session = null;
      const ports = { Transport: "RTP/AVP;unicast;client_port=7000-7001" };
      expect((await hoarder.ask("SETUP", `${stage.bare(FILM)}/trackID=1`, ports)).status).toBe(200);
    }
    const player = await stage.connect();
    await player.play(stage.url(FILM));
    await until(() => player.packets.length > 5);
    expect(stage.server.sessionCounts.udp).toBe(4);
    hoarder.close();
    await until(() => stage.server.sessionCounts.udp === 0);
    expect(stage.server.sessionCounts.tcp).toBe(1);
  });

  test("sessions of one connection: 453 beyond the limit; what is not played in time ends", async () => {
    const client = await (await start({ sessionsOfConnection: 2, firstPlayMs: 300 })).connect();
    await client.ask("DESCRIBE", stage.url(FILM));
    expect([(await setUp(client)).status, (await setUp(client)).status, (await setUp(client)).status]).toEqual([
      200, 200, 453,
    ]);
    await until(() => stage.server.sessionCounts.tcp === 0);
  });

  test("thousands of half-open connections and of requests cost a bounded amount of memory, and go away", async () => {
    await start({ silenceMs: 1_000, connections: 400, connectionsOfAddress: 5_000 });
    const head = `OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nX: ${"y".repeat(8_000)}`;
    // What a first round takes stays with the allocator.
    const round = async () => {
      for (let n = 0; n < 1_000; n++) {
        const client = await stage.connect();
        if (n % 3 !== 0) client.raw(n % 3 === 1 ? head : "$\x00\xff\xff");
      }
      await until(() => stage.server.connectionCounts.other === 0, 20_000);
      Bun.gc(true);
      return process.memoryUsage.rss();
    };
    const before = await round();
    const grown = (await round()) - before;
    expect(grown).toBeLessThan(64 * 2 ** 20);
  }, 60_000);

  test("who is behind with reading when memory is needed is closed, and the log says why", async () => {
    const limits = { requestsBeforeAuthorisation: 1_000_000, stalledMs: 60_000 };
    stage = await RtspStage.start(limits, "127.0.0.1", { memoryBytes: 64 * 1024 });
    const { memory } = stage.engine;
    const client = await stage.connect();
    client.pause();
    const requests = Buffer.from("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n".repeat(50));
    await until(() => {
      if (!memory.isFull) client.raw(requests);
      return stage.server.connectionCounts.other === 0;
    }, 30_000);
    expect(stage.logged.some((line) => line.includes("others need the memory"))).toBe(true);
    expect(memory.usedBytes).toBe(0);
    const player = await stage.connect();
    await player.play(stage.url(FILM));
    await until(() => player.packets.length > 5);
  }, 40_000);

  test("answers that nobody reads: the connection is closed", async () => {
    await start({ requestsBeforeAuthorisation: 1_000_000, stalledMs: 500 });
    const client = await stage.connect();
    client.pause();
    const requests = Buffer.from("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n".repeat(1_000));
    await until(() => {
      client.raw(requests);
      return stage.server.connectionCounts.other === 0;
    }, 30_000);
  }, 40_000);

  test("a player over TCP that stops reading is closed when nothing more can be sent, and its session with it", async () => {
    await start({ stalledMs: 500 });
    const client = await stage.connect();
    await client.play(stage.url(LONG));
    client.pause();
    // Answers fill what the system keeps for the connection sooner than a few seconds of video do.
    const requests = Buffer.from(`GET_PARAMETER ${stage.bare(LONG)} RTSP/1.0\r\nCSeq: 1\r\n\r\n`.repeat(1_000));
    await until(() => {
      client.raw(requests);
      return stage.server.sessionCounts.tcp === 0;
    }, 30_000);
    expect(stage.logged.some((line) => line.includes("RTSP session ended"))).toBe(true);
  }, 40_000);
});

describe("silence", () => {
  test("a connection that says nothing is closed, as is one with an unfinished request", async () => {
    await start({ silenceMs: 300 });
    const silent = await stage.connect();
    const unfinished = await stage.connect();
    unfinished.raw("OPTIONS * RT");
    const dripping = await stage.connect();
    const drip = setInterval(() => dripping.raw("X"), 50);
    await until(() => silent.isClosed && unfinished.isClosed && dripping.isClosed);
    clearInterval(drip);
  });

  test("a session without a sign of life ends, one with signs of life does not", async () => {
    await start({ sessionTimeoutMs: 1_200 });
    const setUp = async () => {
      const client = await stage.connect();
      const url = `${stage.bare(FILM)}/trackID=1?grant=${GRANT}`;
      const answer = await client.ask("SETUP", url, { Transport: "RTP/AVP/TCP" });
      expect(answer.headers.get("session")).toEndWith(";timeout=1");
      return client;
    };
    const [silent, alive] = [await setUp(), await setUp()];
    const keep = setInterval(() => void alive.ask("GET_PARAMETER", stage.bare(FILM)), 300);
    await until(() => silent.isClosed);
    await Bun.sleep(1_000);
    clearInterval(keep);
    expect([alive.isClosed, stage.server.sessionCounts.tcp]).toEqual([false, 1]);
  });
});

describe("over UDP", () => {
  test("packets go to the client's own ports from those that are announced, and BYE ends them", async () => {
    await start();
    const packets: Uint8Array[] = [];
    const [media, control] = [await udpSocket((data) => packets.push(data)), await udpSocket()];
    const client = await stage.connect();
    await client.ask("DESCRIBE", stage.url(FILM));
    const Transport = `RTP/AVP;unicast;client_port=${media.port}-${control.port}`;
    const answer = await client.ask("SETUP", `${stage.bare(FILM)}/trackID=1`, { Transport });
    const ports = /server_port=(\d+)-(\d+)/.exec(answer.headers.get("transport") ?? "") ?? [];
    expect(Number(ports[1]) % 2).toBe(0);
    expect(Number(ports[2])).toBe(Number(ports[1]) + 1);
    const own = { Transport: `RTP/AVP;unicast;client_port=${ports[1]}-${ports[2]}` };
    expect((await client.ask("SETUP", `${stage.bare(FILM)}/trackID=2`, own)).status).toBe(461);
    const played = await client.ask("PLAY", stage.bare(FILM));
    await until(() => packets.length > 10);
    const [info] = /seq=(\d+)/.exec(played.headers.get("rtp-info") ?? "")?.slice(1) ?? [];
    expect(rtpHeaderOf(packets[0] ?? new Uint8Array(12)).seq).toBe(Number(info));
    media.close();
    control.close();
  });

  test("RTCP of the client keeps its session alive, that of others does not, and another connection may end it", async () => {
    await start({ sessionTimeoutMs: 1_500 });
    const open = async () => {
      const sockets = [await udpSocket(), await udpSocket()] as const;
      const client = await stage.connect();
      const Transport = `RTP/AVP;unicast;client_port=${sockets[0].port}-${sockets[1].port}`;
      await client.ask("SETUP", `${stage.bare(LONG)}/trackID=1?grant=${GRANT}`, { Transport });
      await client.ask("PLAY", stage.bare(LONG));
      return { client, sockets };
    };
    const [reporting, silent] = [await open(), await open()];
    const stranger = await udpSocket();
    // An empty receiver report (RFC 3550 section 6.4.2).
    const report = Uint8Array.from([0x80, 201, 0, 1, 1, 2, 3, 4]);
    const rtcpPort = stage.rtcpPort;
    const tell = setInterval(() => {
      reporting.sockets[1].send(report, rtcpPort, "127.0.0.1");
      stranger.send(report, rtcpPort, "127.0.0.1");
    }, 200);
    await until(() => silent.client.isClosed);
    expect(stage.server.sessionCounts.udp).toBe(1);
    // RFC 2326 section 1.1: a session is no connection.
    const session = reporting.client.session ?? "";
    reporting.client.close();
    await Bun.sleep(100);
    const other = await stage.connect();
    expect((await other.ask("PAUSE", stage.bare(LONG), { Session: session })).status).toBe(200);
    expect((await other.ask("TEARDOWN", stage.bare(LONG), { Session: session })).status).toBe(200);
    expect(stage.server.sessionCounts.udp).toBe(0);
    clearInterval(tell);
    for (const socket of [...reporting.sockets, ...silent.sockets, stranger]) socket.close();
  });
});

test("closing says BYE to everybody and ends soon", async () => {
  await start();
  const clients = await Promise.all(Array.from({ length: 10 }, () => stage.connect()));
  for (const client of clients) await client.play(stage.url(FILM));
  const began = performance.now();
  await stage.server.close();
  expect(performance.now() - began).toBeLessThan(3_000);
  await until(() => clients.every(({ isClosed }) => isClosed));
});
