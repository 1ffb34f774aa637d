import { expect, test } from "bun:test";
import { parseAuthorization } from "./authorization-header.ts";
import { formatRange, parseRange } from "./range-header.ts";
import { parseRequestUrl } from "./request-url.ts";
import { parseScale } from "./scale-header.ts";
import { parseTransport } from "./transport-header.ts";

const ranges: readonly [string | null, { from: number | null; to: number | null }][] = [
  [null, { from: null, to: null }],
  ["npt=10-", { from: 10, to: null }],
  ["npt=10-20", { from: 10, to: 20 }],
  ["npt=10.5-20.25", { from: 10.5, to: 20.25 }],
  ["npt=0.000-", { from: 0, to: null }],
  ["npt=0:01:10.5-1:00:00", { from: 70.5, to: 3600 }],
  ["npt=now-", { from: null, to: null }],
  ["npt=now-20", { from: null, to: 20 }],
  ["npt=-20", { from: 0, to: 20 }],
  [" NPT = 1 - 2 ", { from: 1, to: 2 }],
  ["npt=5-;time=19970123T143720Z", { from: 5, to: null }],
];

for (const [text, range] of ranges) {
  test(`Range ${text} is read`, () => expect(parseRange(text)).toEqual(range));
}

for (const text of [
  ...["clock=19961108T142300Z-", "smpte=10:07:00-", "npt=", "npt=-", "npt=a-b", "npt=20-10", "npt=10-10", "npt=1-now"],
  ...["npt=--5", "npt=1e3-", "npt=NaN-", "npt=0:60:00-", "npt=9999999999-", "bytes=0-5", "npt=1", "npt=1-2-3", ""],
]) {
  test(`Range ${text || "(empty)"} is refused with 457`, () => {
    expect(() => parseRange(text)).toThrow(expect.objectContaining({ status: 457 }));
  });
}

test("a range is written with milliseconds", () => {
  expect(formatRange(1.5, 10)).toBe("npt=1.500-10.000");
  expect(formatRange(0, null)).toBe("npt=0.000-");
});

test("a scale is the nearest one there is", () => {
  const scales = ["1", "0.5", "2.0", "0.1", "1.5", "3.5", "4", "5", "8", "100", "-1", "0", "+1.0"].map(parseScale);
  expect(scales).toEqual([1, 0.5, 2, 0.5, 1.5, 4, 4, 4, 8, 8, 1, 1, 1]);
  for (const text of ["", "fast", "1e3", "NaN", "Infinity", "1/2"]) {
    expect(() => parseScale(text)).toThrow(expect.objectContaining({ status: 400 }));
  }
});

test("the ways to send that are known are found in the client's order", () => {
  expect(parseTransport("RTP/AVP/TCP;unicast;interleaved=2-3")).toEqual([
    { over: "tcp", channels: { rtp: 2, rtcp: 3 } },
  ]);
  // Of two numbers each may be any (RFC 3550 section 11).
  expect(parseTransport("RTP/AVP;unicast;client_port=5001-7000")).toEqual([
    { over: "udp", clientPorts: { rtp: 5001, rtcp: 7000 }, destination: null },
  ]);
  expect(parseTransport("RTP/AVP;unicast;client_port=5000-5001;mode=play")).toEqual([
    { over: "udp", clientPorts: { rtp: 5000, rtcp: 5001 }, destination: null },
  ]);
  const both = parseTransport(
    'RTP/SAVP;unicast;client_port=1-2, RTP/AVP/UDP;unicast;client_port=5000;destination=10.0.0.9;mode="PLAY",RTP/AVP/TCP',
  );
  expect(both).toEqual([
    { over: "udp", clientPorts: { rtp: 5000, rtcp: 5001 }, destination: "10.0.0.9" },
    { over: "tcp", channels: null },
  ]);
});

test("what cannot be done or would hit others is no way to send", () => {
  for (const text of [
    ...["", "RTP/AVP;multicast;client_port=5000-5001", "RTP/AVP;unicast", "RTP/AVP;unicast;client_port=53-54"],
    ...[
      "RTP/AVP;unicast;client_port=1023-1024",
      "RTP/AVP;unicast;client_port=65535",
      "RTP/AVP;unicast;client_port=5001",
      "RTP/AVP;client_port=70000-70001",
    ],
    ...["RTP/AVP;unicast;client_port=5000-5000", "RTP/AVP/TCP;interleaved=300-301", "RTP/AVP/TCP;interleaved=x"],
    ...["RTP/AVP/TCP;unicast;mode=record", "RAW/RAW/UDP;client_port=5000-5001", ";;;", "=", "RTP/AVP/TCP;interleaved="],
  ]) {
    expect(parseTransport(text)).toEqual([]);
  }
  expect(parseTransport("RTP/AVP/TCP,".repeat(1_000)).length).toBeLessThanOrEqual(8);
});

test("a credential is the password of Basic, or what Bearer brings", () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
  expect(parseAuthorization(null)).toBeNull();
  expect(parseAuthorization(basic("anybody:the.grant"))).toEqual({ kind: "grant", text: "the.grant" });
  expect(parseAuthorization(basic(":a:b"))).toEqual({ kind: "grant", text: "a:b" });
  expect(parseAuthorization("bearer kinora_x")).toEqual({ kind: "bearer", text: "kinora_x" });
  for (const text of [
    basic("no colon"),
    "Basic",
    "Basic !!!",
    'Digest username="a"',
    `Basic ${"a".repeat(9_999)}`,
    "",
  ]) {
    expect(parseAuthorization(text)).toEqual({ kind: "grant", text: "" });
  }
});

const id = "019a0000-0000-7000-8000-000000000001";
const targets: readonly [string, { track: number | null; grant: string | null }][] = [
  [`rtsp://host:8554/${id}`, { track: null, grant: null }],
  [`rtsp://host:8554/${id}/`, { track: null, grant: null }],
  [`rtsp://host:8554/${id}?grant=a.b.c`, { track: null, grant: "a.b.c" }],
  [`rtsp://host:8554/${id}/?grant=a.b.c`, { track: null, grant: "a.b.c" }],
  [`rtsp://host:8554/${id}/trackID=1`, { track: 1, grant: null }],
  [`rtsp://host:8554/${id}/trackID=1/`, { track: 1, grant: null }],
  [`rtsp://host:8554/${id}?grant=a.b.c/trackID=2`, { track: 2, grant: "a.b.c" }],
  [`rtsp://host:8554/${id}/?grant=a.b.c/trackID=2`, { track: 2, grant: "a.b.c" }],
  [`rtsp://host:8554/${id}/trackID=2?grant=a.b.c`, { track: 2, grant: "a.b.c" }],
  [`rtsp://host:8554/${id}?x=1&grant=a.b.c/`, { track: null, grant: "a.b.c" }],
  [`RTSP://user:secret@host:8554/${id}`, { track: null, grant: null }],
];

for (const [url, expected] of targets) {
  test(`${url} is understood`, () => {
    expect(parseRequestUrl(url)).toEqual({ titleId: id, base: `rtsp://host:8554/${id}`, ...expected });
  });
}

test("the server as such is no title, another scheme no address, and there are no folders", () => {
  expect(parseRequestUrl("*").titleId).toBeNull();
  expect(parseRequestUrl("rtsp://host/").titleId).toBeNull();
  for (const url of ["http://host/a", "/a", "rtsp:a", "file:///etc/passwd"]) {
    expect(() => parseRequestUrl(url)).toThrow(expect.objectContaining({ status: 400 }));
  }
  for (const url of ["rtsp://host/a/b", "rtsp://host/a/../b", "rtsp://host/a/trackID=x"]) {
    expect(() => parseRequestUrl(url)).toThrow(expect.objectContaining({ status: 404 }));
  }
});
