import { until } from "./until.ts";

export interface RtspAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** How many packets had come before it. */
  readonly packetsBefore: number;
}

/** A packet on a channel of the connection, and when it came (`performance.now()`). */
export interface ReceivedPacket {
  readonly channel: number;
  readonly data: Uint8Array;
  readonly at: number;
}

/** What a sender report says (RFC 3550 section 6.4.1). */
export interface SenderReport {
  readonly ssrc: number;
  /** Wall clock, seconds since 1900. */
  readonly ntpSeconds: number;
  readonly rtpTime: number;
  readonly packets: number;
  readonly octets: number;
}

/** An RTSP client that sends what it is told, however wrong, and keeps what it gets. */
export class RtspClient {
  readonly answers: RtspAnswer[] = [];
  readonly packets: ReceivedPacket[] = [];
  isClosed = false;
  cseq = 0;
  session: string | null = null;
  #socket: Bun.Socket | null = null;
  #rest = Buffer.alloc(0);
  #taken = 0;

  static async connect(port: number, hostname = "127.0.0.1"): Promise<RtspClient> {
    const client = new RtspClient();
    client.#socket = await Bun.connect({
      hostname,
      port,
      socket: {
        data: (_socket, bytes) => client.#receive(bytes),
        close: () => {
          client.isClosed = true;
        },
        error: () => undefined,
      },
    });
    return client;
  }

  /** Sends bytes as they are. */
  raw(bytes: string | Uint8Array): void {
    this.#socket?.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  /** Sends a request and waits for its answer. Remembers the session. */
  async ask(method: string, url: string, headers: Record<string, string> = {}, body = ""): Promise<RtspAnswer> {
    const lines = Object.entries({
      CSeq: String(++this.cseq),
      ...(this.session ? { Session: this.session } : {}),
      ...(body ? { "Content-Length": String(body.length) } : {}),
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    this.raw(`${method} ${url} RTSP/1.0\r\n${lines.join("")}\r\n${body}`);
    const answer = await this.nextAnswer();
    const session = answer.headers.get("session")?.split(";")[0];
    if (session) this.session = session;
    return answer;
  }

  /** The answer after the one that was asked for last; an error when the connection ends before. */
  nextAnswer(): Promise<RtspAnswer> {
    const index = this.#taken++;
    return until(() => {
      const answer = this.answers[index];
      if (!answer && this.isClosed) throw new Error("closed without an answer");
      return answer;
    });
  }

  /** DESCRIBE, SETUP of all tracks over TCP, and PLAY. Gives the answer to PLAY. */
  async play(url: string, headers: Record<string, string> = {}): Promise<RtspAnswer> {
    const described = await this.ask("DESCRIBE", url);
    if (described.status !== 200) throw new Error(`DESCRIBE: ${described.status}`);
    const base = described.headers.get("content-base") ?? url;
    for (const control of controlsIn(described.body)) {
      const channel = 2 * controlsIn(described.body).indexOf(control);
      const transport = `RTP/AVP/TCP;unicast;interleaved=${channel}-${channel + 1}`;
      const answer = await this.ask("SETUP", base + control, { Transport: transport });
      if (answer.status !== 200) throw new Error(`SETUP: ${answer.status}`);
    }
    return this.ask("PLAY", base, headers);
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  close(): void {
    this.#socket?.terminate();
  }

  #receive(bytes: Uint8Array): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const used = this.#rest[0] === 0x24 ? this.#takePacket() : this.#takeAnswer();
      if (used === 0) return;
      this.#rest = this.#rest.subarray(used);
    }
  }

  #takePacket(): number {
    if (this.#rest.length < 4) return 0;
    const end = 4 + this.#rest.readUInt16BE(2);
    if (this.#rest.length < end) return 0;
    const data = new Uint8Array(this.#rest.subarray(4, end));
    this.packets.push({ channel: this.#rest[1] ?? 0, data, at: performance.now() });
    return end;
  }

  #takeAnswer(): number {
    const end = this.#rest.indexOf("\r\n\r\n");
    if (end < 0) return 0;
    const [first = "", ...lines] = this.#rest.toString("latin1", 0, end).split("\r\n");
    const headers = new Map<string, string>();
    for (const line of lines)
      headers.set(line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 2));
    const length = Number(headers.get("content-length") ?? 0);
    if (this.#rest.length < end + 4 + length) return 0;
    const body = this.#rest.toString("utf8", end + 4, end + 4 + length);
    const status = Number(/^RTSP\/1\.0 (\d{3}) /.exec(first)?.[1] ?? Number.NaN);
    this.answers.push({ status, headers, body, packetsBefore: this.packets.length });
    return end + 4 + length;
  }
}

/** What `a=control` says of each medium. */
export const controlsIn = (sdp: string) =>
  [...sdp.matchAll(/^a=control:(.*)\r$/gm)].map(([, control = ""]) => control).filter((control) => control !== "*");

/** `url=…;seq=…;rtptime=…` of each track. */
export function rtpInfoOf(answer: RtspAnswer) {
  const info = answer.headers.get("rtp-info") ?? "";
  return info.split(",").map((entry) => {
    const fields = new Map(
      entry.split(";").map((field) => [field.slice(0, field.indexOf("=")), field.slice(field.indexOf("=") + 1)]),
    );
    return { url: fields.get("url") ?? "", seq: Number(fields.get("seq")), rtptime: Number(fields.get("rtptime")) };
  });
}

/** Sequence number, timestamp and SSRC of an RTP packet (RFC 3550 section 5.1). */
export function rtpHeaderOf(data: Uint8Array) {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return {
    payloadType: view.getUint8(1) & 0x7f,
    marker: (view.getUint8(1) & 0x80) !== 0,
    seq: view.getUint16(2),
    timestamp: view.getUint32(4),
    ssrc: view.getUint32(8),
  };
}

/** The packets of a compound RTCP packet by their types (RFC 3550 section 6.1). */
export function* rtcpPacketsOf(data: Uint8Array): Generator<{ readonly type: number; readonly packet: DataView }> {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at + 4 <= data.length; ) {
    const length = 4 * (view.getUint16(at + 2) + 1);
    const end = Math.min(data.length, at + length);
    yield { type: view.getUint8(at + 1), packet: new DataView(data.buffer, data.byteOffset + at, end - at) };
    at += length;
  }
}

/** The sender reports among packets of one RTCP channel. */
export function senderReportsOf(packets: readonly ReceivedPacket[], channel: number): SenderReport[] {
  return packets
    .filter((one) => one.channel === channel)
    .flatMap(({ data }) => [...rtcpPacketsOf(data)])
    .filter(({ type }) => type === 200)
    .map(({ packet }) => ({
      ssrc: packet.getUint32(4),
      ntpSeconds: packet.getUint32(8) + packet.getUint32(12) / 2 ** 32,
      rtpTime: packet.getUint32(16),
      packets: packet.getUint32(20),
      octets: packet.getUint32(24),
    }));
}

/** Whether a `BYE` came on an RTCP channel. */
export const hasBye = (packets: readonly ReceivedPacket[], channel: number) =>
  packets.some((one) => one.channel === channel && [...rtcpPacketsOf(one.data)].some(({ type }) => type === 203));
