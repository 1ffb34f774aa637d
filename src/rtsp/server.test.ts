import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import {
  controlsIn,
  hasBye,
  type RtspClient,
  rtpHeaderOf,
  rtpInfoOf,
  senderReportsOf,
} from "../../test/support/rtsp-client.ts";
import { GRANT, RtspStage } from "../../test/support/rtsp-stage.ts";
import { resting, until } from "../../test/support/until.ts";

const FILM = "h264-aac-3.72s.mp4";

let stage: RtspStage;
beforeAll(async () => {
  stage = await RtspStage.start({ requestsBeforeAuthorisation: 200 });
});
afterAll(() => stage.close());

let client: RtspClient;
const connect = async () => {
  client = await stage.connect();
  return client;
};
afterEach(() => client?.close());

const tcp = (channel = 0) => ({ Transport: `RTP/AVP/TCP;unicast;interleaved=${channel}-${channel + 1}` });
const rtp = (channel: number) => client.packets.filter((packet) => packet.channel === channel);

describe("before anything is authorised", () => {
  test("OPTIONS names the methods, for the server and for any title", async () => {
    await connect();
    for (const url of ["*", `rtsp://127.0.0.1:${stage.port}/`, stage.bare(FILM)]) {
      const answer = await client.ask("OPTIONS", url);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("public")).toBe(
        "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN",
      );
      expect(answer.headers.get("cseq")).toBe(String(client.cseq));
    }
  });

  test("a title without a grant is 401 and asks for Basic; with a wrong one as well", async () => {
    await connect();
    for (const url of [stage.bare(FILM), `${stage.bare(FILM)}?grant=wrong`, stage.bare("aac-only.m4a")]) {
      for (const [method, headers] of [
        ["DESCRIBE", {}],
        ["SETUP", tcp()],
      ] as const) {
        const answer = await client.ask(method, url, headers);
        expect(answer.status).toBe(401);
        expect(answer.headers.get("www-authenticate")).toStartWith('Basic realm="kinora"');
      }
    }
  });

  test("a title that is not there is 404 for whoever shows a grant", async () => {
    await connect();
    expect((await client.ask("DESCRIBE", `rtsp://127.0.0.1/nothing?grant=${GRANT}`)).status).toBe(404);
    expect((await client.ask("DESCRIBE", `rtsp://127.0.0.1/a/b?grant=${GRANT}`)).status).toBe(404);
    expect((await client.ask("DESCRIBE", `rtsp://127.0.0.1/?grant=${GRANT}`)).status).toBe(404);
  });

  test("the grant may be the password of any user", async () => {
    await connect();
    const Authorization = `Basic ${Buffer.from(`anybody:${GRANT}`).toString("base64")}`;
    expect((await client.ask("DESCRIBE", stage.bare(FILM), { Authorization })).status).toBe(200);
    await connect();
    const answer = await client.ask("SETUP", `${stage.bare(FILM)}/trackID=1`, { Authorization, ...tcp() });
    expect(answer.status).toBe(200);
  });

  const odd: readonly [string, string, Record<string, string>, number][] = [
    ["an unknown method", "FROB", {}, 501],
    ["a method for recording", "RECORD", {}, 405],
    ["a method of objects", "constructor", {}, 501],
    ["an extension that is required", "OPTIONS", { Require: "com.example.magic" }, 551],
    ["PLAY without a session", "PLAY", {}, 454],
    ["PAUSE without a session", "PAUSE", {}, 454],
    ["TEARDOWN without a session", "TEARDOWN", {}, 454],
    ["PLAY with an unknown session", "PLAY", { Session: "0123456789abcdef" }, 454],
    ["OPTIONS with an unknown session", "OPTIONS", { Session: "x" }, 454],
    ["a CSeq that is no number", "OPTIONS", { CSeq: "one" }, 400],
    ["a CSeq below zero", "OPTIONS", { CSeq: "-1" }, 400],
    ["a CSeq beyond 32 bits", "OPTIONS", { CSeq: "4294967296" }, 400],
    ["two CSeqs", "OPTIONS", { cseq: "1" }, 400],
  ];
  for (const [what, method, headers, status] of odd) {
    test(`${what} is ${status}, and the connection goes on`, async () => {
      await connect();
      expect((await client.ask(method, stage.bare(FILM), headers)).status).toBe(status);
      expect((await client.ask("OPTIONS", "*")).status).toBe(200);
    });
  }

  test("a request without CSeq is 400", async () => {
    await connect();
    client.raw("OPTIONS * RTSP/1.0\r\n\r\n");
    expect((await client.nextAnswer()).status).toBe(400);
  });

  test("requests in one piece are answered in their order", async () => {
    await connect();
    const requests = Array.from({ length: 60 }, (_, n) => {
      const method = n % 3 === 0 ? `DESCRIBE ${stage.url(FILM)}` : "OPTIONS *";
      return `${method} RTSP/1.0\r\nCSeq: ${n}\r\n\r\n`;
    });
    client.raw(requests.join(""));
    await until(() => client.answers.length === 60);
    expect(client.answers.map(({ headers }) => Number(headers.get("cseq")))).toEqual([...requests.keys()]);
  });
});

describe("a description", () => {
  test("names the tracks, has a Content-Base without the grant, and no grant anywhere", async () => {
    await connect();
    const { headers, body } = await client.ask("DESCRIBE", stage.url(FILM), { Accept: "application/sdp" });
    expect(headers.get("content-type")).toBe("application/sdp");
    expect(headers.get("content-base")).toBe(`${stage.bare(FILM)}/`);
    expect(body).toContain("a=range:npt=0-3.72");
    expect(body).toContain("m=video 0 RTP/AVP 96\r\n");
    expect(controlsIn(body)).toEqual(["trackID=1", "trackID=2"]);
    expect(body + [...headers.values()].join("")).not.toContain(GRANT);
  });

  test("is not given in another form", async () => {
    await connect();
    expect((await client.ask("DESCRIBE", stage.url(FILM), { Accept: "text/html" })).status).toBe(406);
  });
});

describe("setting up", () => {
  test("is done by every form that clients make of the URL, and on a connection that was authorised without a grant", async () => {
    for (const suffix of [
      "/trackID=1",
      `?grant=${GRANT}/trackID=1`,
      `/?grant=${GRANT}/trackID=1`,
      `/trackID=1?grant=${GRANT}`,
    ]) {
      await connect();
      await client.ask("DESCRIBE", stage.url(FILM));
      const answer = await client.ask("SETUP", stage.bare(FILM) + suffix, tcp());
      expect(answer.status).toBe(200);
      expect(answer.headers.get("session")).toMatch(/^[0-9a-f]{32};timeout=60$/);
      expect(answer.headers.get("transport")).toStartWith("RTP/AVP/TCP;unicast;interleaved=0-1");
    }
  });

  test("is refused for foreign tracks, foreign ports and unknown ways to send", async () => {
    await connect();
    await client.ask("DESCRIBE", stage.url(FILM));
    const status = async (suffix: string, Transport: string) =>
      (await client.ask("SETUP", stage.bare(FILM) + suffix, { Transport })).status;
    expect(await status("/trackID=3", "RTP/AVP/TCP")).toBe(404);
    expect(await status("/trackID=99999999", "RTP/AVP/TCP")).toBe(404);
    expect(await status("", "RTP/AVP/TCP")).toBe(459);
    expect(await status("/trackID=1", "RTP/AVP;multicast")).toBe(461);
    expect(await status("/trackID=1", "RTP/SAVP;unicast;client_port=5000-5001")).toBe(461);
    expect(await status("/trackID=1", "RTP/AVP;unicast;client_port=53-54")).toBe(461);
    expect(await status("/trackID=1", "RTP/AVP;unicast;client_port=5000-5001;destination=192.0.2.1")).toBe(461);
    expect(await status("/trackID=1", "")).toBe(461);
    expect(stage.server.sessionCounts.udp).toBe(0);
  });

  test("of another title in the same session is 459, over another way 461", async () => {
    await connect();
    await client.ask("SETUP", `${stage.bare(FILM)}/trackID=1?grant=${GRANT}`, tcp());
    const other = `${stage.bare("h264-only.mp4")}/trackID=1?grant=${GRANT}`;
    expect((await client.ask("SETUP", other, tcp(2))).status).toBe(459);
    const udp = { Transport: "RTP/AVP;unicast;client_port=5000-5001" };
    expect((await client.ask("SETUP", `${stage.bare(FILM)}/trackID=2`, udp)).status).toBe(461);
  });

  test("gives free channels where those that are asked for are taken", async () => {
    await connect();
    await client.ask("SETUP", `${stage.bare(FILM)}/trackID=1?grant=${GRANT}`, tcp());
    const answer = await client.ask("SETUP", `${stage.bare(FILM)}/trackID=2`, tcp());
    expect(answer.headers.get("transport")).toContain("interleaved=2-3");
  });
});

describe("playing", () => {
  test("RTP-Info tells the first packet of each track exactly, and comes before it", async () => {
    await connect();
    const answer = await client.play(stage.url(FILM), { Range: "npt=0-1" });
    expect(answer.status).toBe(200);
    expect(answer.packetsBefore).toBe(0);
    expect(answer.headers.get("range")).toBe("npt=0.000-1.000");
    expect(answer.headers.get("session")).toContain(client.session ?? "-");
    const info = rtpInfoOf(answer);
    expect(info.map(({ url }) => url)).toEqual([`${stage.bare(FILM)}/trackID=1`, `${stage.bare(FILM)}/trackID=2`]);
    await until(() => rtp(0).length > 0 && rtp(2).length > 0);
    for (const [index, channel] of [0, 2].entries()) {
      const first = rtpHeaderOf(rtp(channel)[0]?.data ?? new Uint8Array(12));
      expect(first.seq).toBe(info[index]?.seq ?? -1);
    }
    expect(rtpHeaderOf(rtp(0)[0]?.data ?? new Uint8Array(12)).timestamp).toBe(info[0]?.rtptime ?? -1);
  });

  test("a closed range ends where it says, with BYE on every track; then the session goes on from there", async () => {
    await connect();
    await client.play(stage.url(FILM), { Range: "npt=1-1.5" });
    await until(() => hasBye(client.packets, 1) && hasBye(client.packets, 3));
    const times = rtp(0).map(({ data }) => rtpHeaderOf(data).timestamp);
    const span = (Math.max(...times) - Math.min(...times)) / 90_000;
    // In the order of decoding: pictures that others need are sent before they are shown.
    expect(span).toBeWithin(0.4, 0.65);
    const answer = await client.ask("PLAY", stage.bare(FILM));
    expect(answer.headers.get("range")).toMatch(/^npt=1\.\d{3}-3\.720$/);
  });

  test("PAUSE stops it where it says, PLAY without a range goes on there with the next packet", async () => {
    await connect();
    await client.play(stage.url(FILM));
    await until(() => rtp(0).length > 5);
    const paused = await client.ask("PAUSE", stage.bare(FILM));
    const at = Number(/^npt=([\d.]+)-/.exec(paused.headers.get("range") ?? "")?.[1]);
    const count = client.packets.length;
    await Bun.sleep(300);
    expect(client.packets.length).toBe(count);
    const last = rtpHeaderOf(rtp(0).at(-1)?.data ?? new Uint8Array(12));
    const resumed = await client.ask("PLAY", stage.bare(FILM));
    expect(Number(/^npt=([\d.]+)-/.exec(resumed.headers.get("range") ?? "")?.[1])).toBeWithin(at - 0.05, at + 0.05);
    expect(rtpInfoOf(resumed)[0]?.seq).toBe((last.seq + 1) & 0xffff);
    await until(() => client.packets.length > count);
    expect((await client.ask("PAUSE", stage.bare(FILM))).status).toBe(200);
    expect((await client.ask("PAUSE", stage.bare(FILM))).status).toBe(200);
  });

  test("PLAY with a range while it plays goes there at once; without one it changes nothing", async () => {
    await connect();
    await client.play(stage.url(FILM));
    await until(() => rtp(0).length > 5);
    const same = await client.ask("PLAY", stage.bare(FILM));
    expect([same.status, same.headers.has("rtp-info")]).toEqual([200, false]);
    const sought = await client.ask("PLAY", stage.bare(FILM), { Range: "npt=3-" });
    expect(sought.headers.get("range")).toBe("npt=3.000-3.720");
    const before = sought.packetsBefore;
    await until(() => client.packets.slice(before).some(({ channel }) => channel === 0));
    const first = client.packets.slice(before).find(({ channel }) => channel === 0);
    expect(rtpHeaderOf(first?.data ?? new Uint8Array(12)).seq).toBe(rtpInfoOf(sought)[0]?.seq ?? -1);
    await until(() => hasBye(client.packets, 1));
    expect(stage.ended).toContain(FILM);
  });

  test("the scale is the nearest one there is, and is told", async () => {
    await connect();
    const answer = await client.play(stage.url(FILM), { Scale: "3.3" });
    expect(answer.headers.get("scale")).toBe("4");
    const slow = await client.ask("PLAY", stage.bare(FILM), { Scale: "0.5", Range: "npt=0-" });
    expect(slow.headers.get("scale")).toBe("0.5");
  });

  test("what cannot be played is refused by its rule", async () => {
    await connect();
    await client.play(stage.url(FILM));
    const play = async (headers: Record<string, string>) =>
      (await client.ask("PLAY", stage.bare(FILM), headers)).status;
    expect(await play({ Range: "clock=19961108T142300Z-" })).toBe(457);
    expect(await play({ Range: "npt=1000-" })).toBe(457);
    expect(await play({ Range: "npt=2-1" })).toBe(457);
    expect(await play({ Scale: "fast" })).toBe(400);
    expect((await client.ask("PLAY", `${stage.bare(FILM)}/trackID=1`)).status).toBe(460);
    expect((await client.ask("PAUSE", `${stage.bare(FILM)}/trackID=2`)).status).toBe(460);
    expect((await client.ask("SETUP", `${stage.bare(FILM)}/trackID=1`, tcp())).status).toBe(455);
    expect((await client.ask("PLAY", stage.bare("h264-only.mp4"))).status).toBe(454);
  });

  test("GET_PARAMETER and SET_PARAMETER keep alive; there are no parameters", async () => {
    await connect();
    await client.play(stage.url(FILM));
    for (const method of ["GET_PARAMETER", "SET_PARAMETER"]) {
      expect((await client.ask(method, stage.bare(FILM))).status).toBe(200);
      expect((await client.ask(method, stage.bare(FILM), {}, "volume\r\n")).status).toBe(451);
    }
  });

  test("TEARDOWN ends it with BYE; the session is not there any more and the connection may have another", async () => {
    await connect();
    await client.play(stage.url(FILM));
    await until(() => rtp(0).length > 0);
    const session = client.session ?? "";
    expect((await client.ask("TEARDOWN", stage.bare(FILM))).status).toBe(200);
    await until(() => hasBye(client.packets, 1));
    expect((await client.ask("PLAY", stage.bare(FILM), { Session: session })).status).toBe(454);
    client.session = null;
    expect((await client.ask("SETUP", `${stage.bare(FILM)}/trackID=1`, tcp())).status).toBe(200);
  });

  test("sound and pictures are within 20 ms of each other by their sender reports", async () => {
    await connect();
    const answer = await client.play(stage.url(FILM));
    const info = rtpInfoOf(answer);
    const [video, audio] = await until(() => {
      const [first] = senderReportsOf(client.packets, 1);
      const [second] = senderReportsOf(client.packets, 3);
      return first && second ? [first, second] : null;
    });
    // Both tracks' media time 0 at the same wall-clock time.
    const zero = (report: typeof video, rtptime: number, rate: number) =>
      (report?.ntpSeconds ?? 0) - (((report?.rtpTime ?? 0) - rtptime) | 0) / rate;
    const apart = zero(video, info[0]?.rtptime ?? 0, 90_000) - zero(audio, info[1]?.rtptime ?? 0, 48_000);
    expect(Math.abs(apart)).toBeLessThan(0.02);
  });

  test("another connection cannot take over a session over TCP", async () => {
    await connect();
    await client.play(stage.url(FILM));
    const other = await stage.connect();
    expect((await other.ask("PAUSE", stage.bare(FILM), { Session: client.session ?? "" })).status).toBe(454);
  });

  test("a title with one track may be controlled by that track's URL", async () => {
    await connect();
    const url = stage.bare("h264-only.mp4");
    await client.ask("SETUP", `${url}?grant=${GRANT}`, tcp());
    expect((await client.ask("PLAY", `${url}/trackID=1`)).status).toBe(200);
    await until(() => rtp(0).length > 0);
  });
});

describe("whoever controls the right to play", () => {
  test("pauses and resumes without the client's doing", async () => {
    await connect();
    await client.play(stage.url(FILM));
    await until(() => rtp(0).length > 5);
    const session = stage.registered.at(-1);
    session?.pause();
    await resting(() => client.packets.length);
    // A client that plays meanwhile waits.
    expect((await client.ask("PLAY", stage.bare(FILM), { Range: "npt=0-" })).status).toBe(200);
    const held = client.packets.length;
    await Bun.sleep(300);
    expect(client.packets.length).toBe(held);
    session?.resume();
    await until(() => hasBye(client.packets, 1));
  });

  test("ends it: BYE, and the connection is closed", async () => {
    await connect();
    await client.play(stage.url(FILM));
    await until(() => rtp(0).length > 5);
    const began = performance.now();
    stage.cutAll("revoked");
    await until(() => client.isClosed);
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(hasBye(client.packets, 1)).toBe(true);
    expect(stage.logged.some((line) => line.includes('"reason":"revoked"'))).toBe(true);
  });

  test("ends a connection that was only authorised, too", async () => {
    await connect();
    await client.ask("DESCRIBE", stage.url(FILM));
    stage.cutAll("revoked");
    await until(() => client.isClosed);
  });
});

test("no grant is in the log", () => {
  expect(stage.logged.length).toBeGreaterThan(50);
  expect(stage.logged.join("")).not.toContain(GRANT);
});
