import { parseAuthorization } from "../../src/rtsp/authorization-header.ts";
import { RtspError } from "../../src/rtsp/errors.ts";
import { messageLimits } from "../../src/rtsp/limits.ts";
import { cseqOf, encodeResponse, type RtspMessage } from "../../src/rtsp/message.ts";
import { MessageParser } from "../../src/rtsp/message-parser.ts";
import { parseRange } from "../../src/rtsp/range-header.ts";
import { parseRequestUrl } from "../../src/rtsp/request-url.ts";
import { parseScale } from "../../src/rtsp/scale-header.ts";
import { parseTransport } from "../../src/rtsp/transport-header.ts";
import { expectThat } from "./checks.ts";

/** Beyond it byte by byte would take most of the time. */
const maxBytesByByte = 4 * 1024;

/** Takes what a client sends apart, in one piece and in small ones, and reads every header that means something. */
export async function exerciseRtsp(bytes: Uint8Array): Promise<void> {
  const whole = messagesIn(bytes, bytes.length || 1);
  for (const message of whole) checkMessage(message);
  const size = bytes.length > maxBytesByByte ? 997 : 1;
  expectThat(textOf(messagesIn(bytes, size)) === textOf(whole), "other messages when they come in pieces");
}

function messagesIn(bytes: Uint8Array, pieceBytes: number): RtspMessage[] {
  const parser = new MessageParser();
  const messages: RtspMessage[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes)
    messages.push(...parser.push(bytes.subarray(at, at + pieceBytes)));
  return messages;
}

const textOf = (messages: readonly RtspMessage[]) =>
  JSON.stringify(
    messages.map((message) => {
      if (message.kind === "interleaved") return [message.channel, Bun.hash.crc32(message.data)];
      if (message.kind === "bad") return [message.status, message.cseq];
      return [message.method, message.url, cseqOf(message.headers), Bun.hash.crc32(message.body)];
    }),
  );

function checkMessage(message: RtspMessage): void {
  if (message.kind === "interleaved") {
    expectThat(message.data.length <= messageLimits.interleavedBytes, "a packet that is too long");
    return;
  }
  if (message.kind === "bad") return;
  const { url, headers, body } = message;
  expectThat(
    url.length <= messageLimits.urlBytes && body.length <= messageLimits.bodyBytes,
    "a message that is too long",
  );
  const target = orRtspError(() => parseRequestUrl(url));
  expectThat(target?.titleId == null || !target.titleId.includes("/"), "a title id with a slash");
  const range = orRtspError(() => parseRange(headers.get("Range")));
  for (const time of [range?.from, range?.to]) {
    expectThat(time == null || (time >= 0 && Number.isFinite(time)), "a time that is none");
  }
  const scale = orRtspError(() => parseScale(headers.get("Scale") ?? ""));
  expectThat(scale === null || (scale >= 0.5 && scale <= 8), "a scale that is none");
  for (const spec of parseTransport(headers.get("Transport") ?? "")) {
    const ports = spec.over === "udp" ? Object.values(spec.clientPorts) : [];
    expectThat(
      ports.every((port) => port >= 1024 && port <= 65_535),
      "a port that is none of a client's",
    );
  }
  parseAuthorization(headers.get("Authorization"));
  const answer = encodeResponse(cseqOf(headers), { status: 200, headers: { "X-Echo": headers.get("X-Echo") ?? "" } });
  expectThat(
    Buffer.from(answer).toString("latin1").indexOf("\r\n\r\n") === answer.length - 4,
    "a header within a header",
  );
}

/** The only error that a wrong header may cause. */
function orRtspError<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof RtspError) return null;
    throw error;
  }
}
