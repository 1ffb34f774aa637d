import { expect, test } from "bun:test";
import { messageLimits } from "./limits.ts";
import { encodeResponse, type RtspMessage } from "./message.ts";
import { MessageParser } from "./message-parser.ts";

const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));

/** What a parser makes of a text that comes in pieces of so many bytes. */
function parse(text: string | Uint8Array, pieceBytes = Number.POSITIVE_INFINITY): RtspMessage[] {
  const parser = new MessageParser();
  const bytes = typeof text === "string" ? bytesOf(text) : text;
  const messages: RtspMessage[] = [];
  for (let at = 0; at < bytes.length; at += Math.min(pieceBytes, bytes.length)) {
    messages.push(...parser.push(bytes.subarray(at, at + pieceBytes)));
  }
  return messages;
}

/** A message as a test compares it. */
function shown(message: RtspMessage | undefined) {
  if (message?.kind === "request") {
    const { method, url, body, headers } = message;
    return { method, url, body: Buffer.from(body).toString("latin1"), cseq: headers.get("cseq") };
  }
  if (message?.kind === "interleaved") return { channel: message.channel, data: [...message.data] };
  return message?.kind === "bad" ? { status: message.status, cseq: message.cseq } : null;
}

const play = "PLAY rtsp://host/a RTSP/1.0\r\nCSeq: 7\r\nRange: npt=1-\r\n\r\n";
const withBody = "GET_PARAMETER rtsp://host/a RTSP/1.0\r\nCSeq: 8\r\nContent-Length: 4\r\n\r\na\r\nb";
const packet = "$\x01\x00\x03xyz";

test("requests, bodies and interleaved packets come out in order, whatever pieces they come in", () => {
  const expected = [
    { method: "PLAY", url: "rtsp://host/a", body: "", cseq: "7" },
    { channel: 1, data: [120, 121, 122] },
    { method: "GET_PARAMETER", url: "rtsp://host/a", body: "a\r\nb", cseq: "8" },
    { channel: 1, data: [120, 121, 122] },
    { method: "PLAY", url: "rtsp://host/a", body: "", cseq: "7" },
  ];
  for (const piece of [1, 2, 3, 5, 17, 64, Number.POSITIVE_INFINITY]) {
    expect(parse(play + packet + withBody + packet + play, piece).map(shown)).toEqual(expected);
  }
});

test("lines may end with LF alone, empty lines may stand before a request, a header may go on in the next line", () => {
  const [message] = parse("\r\n\n\r\nOPTIONS * RTSP/1.0\nCSEQ:3\nX-Long: a\n b\n\n");
  expect(shown(message)).toEqual({ method: "OPTIONS", url: "*", body: "", cseq: "3" });
  expect(message?.kind === "request" && message.headers.get("x-long")).toBe("a b");
});

test("a message is complete with its last byte: nothing is waited for", () => {
  const parser = new MessageParser();
  const bytes = bytesOf(play);
  expect([...parser.push(bytes.subarray(0, -1))]).toEqual([]);
  expect(parser.isInside).toBe(true);
  expect([...parser.push(bytes.subarray(-1))]).toHaveLength(1);
  expect(parser.isInside).toBe(false);
});

const refused: readonly [what: string, text: string, status: number, cseq: number | null][] = [
  ["HTTP", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, null],
  ["RTSP 2.0", "PLAY rtsp://h/a RTSP/2.0\r\nCSeq: 5\r\n\r\n", 505, 5],
  ["RTSP 0.9", "PLAY rtsp://h/a RTSP/0.9\r\n\r\n", 505, null],
  ["no version", "PLAY rtsp://h/a\r\nCSeq: 5\r\n\r\n", 400, 5],
  ["too many words", "PLAY rtsp://h/a b RTSP/1.0\r\n\r\n", 400, null],
  ["an answer of its own", "RTSP/1.0 200 OK\r\nCSeq: 5\r\n\r\n", 400, 5],
  ["a control character in the URL", "PLAY rtsp://h/\x01 RTSP/1.0\r\n\r\n", 400, null],
  ["a control character in a header", "PLAY rtsp://h/a RTSP/1.0\r\nA: \x00\r\n\r\n", 400, null],
  ["a carriage return in a header", "PLAY rtsp://h/a RTSP/1.0\r\nA: b\rc\r\n\r\n", 400, null],
  ["a header without a name", "PLAY rtsp://h/a RTSP/1.0\r\n: b\r\nCSeq: 5\r\n\r\n", 400, 5],
  ["a line that is no header", "PLAY rtsp://h/a RTSP/1.0\r\nhello\r\n\r\n", 400, null],
  ["a header that goes on before one began", "PLAY rtsp://h/a RTSP/1.0\r\n a: b\r\n\r\n", 400, null],
  ["binary", "\x80\x81\x82", 400, null],
  ["a TLS greeting", "\x16\x03\x01\x02\x00", 400, null],
  ["empty lines without end", "\r\n".repeat(100), 400, null],
  ["a URL without end", `PLAY rtsp://h/${"a".repeat(messageLimits.headBytes)}`, 400, null],
  ["a long URL", `PLAY rtsp://h/${"a".repeat(messageLimits.urlBytes)} RTSP/1.0\r\n\r\n`, 414, null],
  ["headers without end", `PLAY rtsp://h/a RTSP/1.0\r\nCSeq: 5\r\n${"A: b\r\n".repeat(2_000)}`, 400, 5],
  ["too many headers", `PLAY rtsp://h/a RTSP/1.0\r\n${"A: b\r\n".repeat(65)}\r\n`, 400, null],
  ["a body that is too long", "PLAY rtsp://h/a RTSP/1.0\r\nCSeq: 5\r\nContent-Length: 16385\r\n\r\n", 413, 5],
  ["a length below zero", "PLAY rtsp://h/a RTSP/1.0\r\nCSeq: 5\r\nContent-Length: -1\r\n\r\n", 400, 5],
  ["a length twice", "PLAY rtsp://h/a RTSP/1.0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, null],
  ["a length that is no number", "PLAY rtsp://h/a RTSP/1.0\r\nContent-Length: 1e3\r\n\r\n", 400, null],
  ["a body in chunks", "PLAY rtsp://h/a RTSP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, null],
];

for (const [what, text, status, cseq] of refused) {
  test(`${what} is refused with ${status}, and nothing after it is looked at`, () => {
    for (const piece of [1, 7, Number.POSITIVE_INFINITY]) {
      expect(parse(text + play, piece).map(shown)).toEqual([expect.objectContaining({ status, cseq })]);
    }
  });
}

test("of a long interleaved packet only its beginning is kept, and what follows is found", () => {
  const long = new Uint8Array(4 + 65_535).fill(7);
  long.set([0x24, 9, 0xff, 0xff]);
  for (const piece of [1_000, Number.POSITIVE_INFINITY]) {
    const messages = parse(Buffer.concat([long, bytesOf(play)]), piece);
    expect(messages).toHaveLength(2);
    const [first] = messages;
    expect(first?.kind === "interleaved" && first.data.length).toBe(messageLimits.interleavedBytes);
    expect(shown(messages[1])).toMatchObject({ method: "PLAY" });
  }
});

test("an empty interleaved packet is one, too", () => {
  expect(parse(`$\x02\x00\x00${play}`).map(shown)).toMatchObject([{ channel: 2, data: [] }, { method: "PLAY" }]);
});

test("8 KiB that come byte by byte take no longer than they should", () => {
  const text = `PLAY rtsp://h/a RTSP/1.0\r\nCSeq: 1\r\n${"X: y\r\n".repeat(60)}Z: ${"z".repeat(7_000)}\r\n\r\n`;
  const began = performance.now();
  for (let n = 0; n < 20; n++) expect(parse(text, 1)).toHaveLength(1);
  expect(performance.now() - began).toBeLessThan(5_000);
});

test("an answer is written with its sequence number and the length of its body; no value can begin a new line", () => {
  const text = new TextDecoder().decode(
    encodeResponse(3, { status: 200, headers: { "X-A": "b\r\nEvil: c" }, body: "ä\r\n" }),
  );
  expect(text).toBe("RTSP/1.0 200 OK\r\nCSeq: 3\r\nX-A: b Evil: c\r\nContent-Length: 4\r\n\r\nä\r\n");
});
