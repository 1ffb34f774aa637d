import { RtspError } from "./errors.ts";
import { RtspHeaders } from "./headers.ts";
import { messageLimits } from "./limits.ts";
import { type BadMessage, cseqOf, type InterleavedPacket, type RtspMessage, type RtspRequest } from "./message.ts";

const DOLLAR = 0x24;
const LF = 0x0a;
const CR = 0x0d;
/** Empty lines before a request line (RFC 2068 section 4.1), so many at most. */
const MAX_EMPTY_LINES = 16;

type Head = Omit<RtspRequest, "kind" | "body">;

/** What the next bytes belong to. */
type State =
  | { readonly in: "start"; readonly emptyLines: number }
  | { readonly in: "head"; lineStart: number }
  | { readonly in: "body"; readonly head: Head; readonly length: number }
  | { readonly in: "frame" }
  | { readonly in: "packet"; readonly channel: number; readonly length: number; skip: number }
  | { readonly in: "refused" };

/**
 * Takes a connection apart into requests and interleaved packets, whatever pieces its bytes come in. Keeps no more
 * than one unfinished message, of the sizes in `messageLimits`, and looks at each byte once. After a `bad` message
 * it overlooks whatever comes.
 */
export class MessageParser {
  #state: State = { in: "start", emptyLines: 0 };
  #kept = new Uint8Array(512);
  #length = 0;

  /** Whether a message has begun that is not complete. */
  get isInside(): boolean {
    return this.#state.in !== "start" && this.#state.in !== "refused";
  }

  /** The messages that are complete with these bytes, taken apart as they are asked for. */
  *push(chunk: Uint8Array): Generator<RtspMessage> {
    let at = 0;
    while (at < chunk.length) {
      let message: RtspMessage | null;
      try {
        [at, message] = this.#step(chunk, at);
      } catch (error) {
        if (!(error instanceof RtspError)) throw error;
        message = this.#refuse(error);
        at = chunk.length;
      }
      if (message) yield message;
      if (this.#state.in === "refused") return;
    }
  }

  #step(chunk: Uint8Array, at: number): [at: number, message: RtspMessage | null] {
    switch (this.#state.in) {
      case "start":
        return [this.#start(chunk[at] ?? 0, this.#state.emptyLines) ? at + 1 : at, null];
      case "head":
        return this.#readHead(chunk, at, this.#state);
      case "body":
        return this.#readBody(chunk, at, this.#state);
      case "frame":
        return this.#readFrame(chunk, at);
      case "packet":
        return this.#readPacket(chunk, at, this.#state);
      case "refused":
        return [chunk.length, null];
    }
  }

  /** Tells from its first byte what comes; whether the byte was used up. */
  #start(byte: number, emptyLines: number): boolean {
    this.#length = 0;
    if (byte === DOLLAR) {
      this.#state = { in: "frame" };
      return true;
    }
    if (byte === CR || byte === LF) {
      if (emptyLines >= 2 * MAX_EMPTY_LINES) throw new RtspError(400, "nothing but empty lines");
      this.#state = { in: "start", emptyLines: emptyLines + 1 };
      return true;
    }
    this.#state = { in: "head", lineStart: 0 };
    return false;
  }

  #readHead(chunk: Uint8Array, at: number, state: { lineStart: number }): [number, RtspMessage | null] {
    const newline = chunk.indexOf(LF, at);
    const end = newline < 0 ? chunk.length : newline + 1;
    this.#keep(chunk.subarray(at, end), messageLimits.headBytes, 400, "the headers are too long");
    // What is no request at all is known from its first bytes: nothing is waited for then.
    if (state.lineStart === 0) requireRequestLine(this.#kept[0] ?? 0);
    if (newline < 0) return [end, null];
    const line = this.#kept.subarray(state.lineStart, this.#length);
    state.lineStart = this.#length;
    if (line.length > 2 || (line.length === 2 && line[0] !== CR)) return [end, null];
    const head = parseHead(this.#text());
    const length = bodyLengthOf(head);
    this.#length = 0;
    if (length > 0) {
      this.#state = { in: "body", head, length };
      return [end, null];
    }
    this.#state = { in: "start", emptyLines: 0 };
    return [end, { kind: "request", ...head, body: new Uint8Array(0) }];
  }

  #readBody(chunk: Uint8Array, at: number, state: { head: Head; length: number }): [number, RtspRequest | null] {
    const end = Math.min(chunk.length, at + state.length - this.#length);
    this.#keep(chunk.subarray(at, end), messageLimits.bodyBytes, 413, "the body is too long");
    if (this.#length < state.length) return [end, null];
    const body = this.#kept.slice(0, this.#length);
    this.#length = 0;
    this.#state = { in: "start", emptyLines: 0 };
    return [end, { kind: "request", ...state.head, body }];
  }

  /** `$`, a channel and two bytes of length. */
  #readFrame(chunk: Uint8Array, at: number): [number, InterleavedPacket | null] {
    const end = Math.min(chunk.length, at + 3 - this.#length);
    this.#keep(chunk.subarray(at, end), 3, 400, "a frame");
    if (this.#length < 3) return [end, null];
    const [channel = 0, high = 0, low = 0] = this.#kept;
    const size = high * 256 + low;
    this.#length = 0;
    if (size === 0) {
      this.#state = { in: "start", emptyLines: 0 };
      return [end, { kind: "interleaved", channel, data: new Uint8Array(0) }];
    }
    const length = Math.min(size, messageLimits.interleavedBytes);
    this.#state = { in: "packet", channel, length, skip: size - length };
    return [end, null];
  }

  #readPacket(
    chunk: Uint8Array,
    at: number,
    state: { readonly channel: number; readonly length: number; skip: number },
  ): [number, InterleavedPacket | null] {
    const kept = Math.min(chunk.length - at, state.length - this.#length);
    this.#keep(chunk.subarray(at, at + kept), messageLimits.interleavedBytes, 400, "a packet");
    const skipped = Math.min(chunk.length - at - kept, state.skip);
    state.skip -= skipped;
    const end = at + kept + skipped;
    if (this.#length < state.length || state.skip > 0) return [end, null];
    const data = this.#kept.slice(0, this.#length);
    this.#length = 0;
    this.#state = { in: "start", emptyLines: 0 };
    return [end, { kind: "interleaved", channel: state.channel, data }];
  }

  #keep(bytes: Uint8Array, limit: number, status: 400 | 413, reason: string): void {
    const length = this.#length + bytes.length;
    if (length > limit) {
      // As much as may be kept, so that the refusal is the same however the bytes came.
      this.#keep(bytes.subarray(0, limit - this.#length), limit, status, reason);
      throw new RtspError(status, reason);
    }
    if (length > this.#kept.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#kept.length));
      larger.set(this.#kept.subarray(0, this.#length));
      this.#kept = larger;
    }
    this.#kept.set(bytes, this.#length);
    this.#length = length;
  }

  #text(): string {
    return Buffer.from(this.#kept.buffer, 0, this.#length).toString("latin1");
  }

  #refuse({ status, message }: RtspError): BadMessage {
    const cseq = this.#state.in === "body" ? cseqOf(this.#state.head.headers) : cseqIn(this.#text());
    this.#state = { in: "refused" };
    this.#kept = new Uint8Array(0);
    this.#length = 0;
    return { kind: "bad", status, reason: message, cseq };
  }
}

function requireRequestLine(first: number): void {
  if (first < 0x41 || first > 0x7a) throw new RtspError(400, "this is no request");
}

/** The sequence number in a head that is not understood otherwise. */
function cseqIn(text: string): number | null {
  const digits = /^cseq:[ \t]*(\d{1,10})[ \t]*\r?\n/im.exec(text)?.[1];
  return digits !== undefined && Number(digits) <= 0xffff_ffff ? Number(digits) : null;
}

function parseHead(text: string): Head {
  const [requestLine = "", ...lines] = text.split(/\r?\n/);
  // The blank line that ends the head leaves two empty ones.
  const headers = RtspHeaders.parse(lines.slice(0, -2));
  const { method, url } = parseRequestLine(requestLine);
  return { method, url, headers };
}

/** `SETUP rtsp://host/path RTSP/1.0` (RFC 2326 section 6.1). */
function parseRequestLine(line: string): { method: string; url: string } {
  const [method = "", url = "", version = "", ...rest] = line.split(" ");
  if (!/^[A-Za-z][A-Za-z_-]{0,31}$/.test(method) || rest.length > 0 || !/^[\x21-\x7e]+$/.test(url)) {
    throw new RtspError(400, "this is no request line");
  }
  if (!/^RTSP\/\d{1,3}\.\d{1,3}$/.test(version)) throw new RtspError(400, "this is no RTSP");
  if (version !== "RTSP/1.0") throw new RtspError(505, "another version of RTSP than 1.0");
  if (url.length > messageLimits.urlBytes) throw new RtspError(414, "the URL is too long");
  return { method, url };
}

function bodyLengthOf({ headers }: Head): number {
  const text = headers.get("Content-Length");
  if (headers.get("Transfer-Encoding") !== null) throw new RtspError(400, "a body without a length");
  if (text === null) return 0;
  if (!/^\d{1,15}$/.test(text)) throw new RtspError(400, "the length of the body is no number");
  if (Number(text) > messageLimits.bodyBytes) throw new RtspError(413, "the body is too long");
  return Number(text);
}
