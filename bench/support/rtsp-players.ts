/**
 * `bun bench/support/rtsp-players.ts URL COUNT PLACES SECONDS [stall]`: so many players over TCP in one process of its own, each
 * at one of so many places two seconds apart. They read the heads of the packets and nothing else, so they cost little.
 * Prints `playing` when all have got a packet, and what they saw (`SeenByPlayers`) after so many seconds more. With
 * `stall` each stops reading at its first packet.
 */

export interface SeenByPlayers {
  readonly packets: number;
  /** By more than `LATE_MS` after what its timestamp says, reckoned from the first packet of its track. */
  readonly late: number;
  /** The latest of all, in milliseconds; below zero when all came early. */
  readonly latestMs: number;
  /** Missing sequence numbers. */
  readonly lost: number;
  /** From PLAY to the first packet. */
  readonly startMs: { readonly median: number; readonly longest: number };
  /** What the players themselves take, of a core. */
  readonly ownCpu: number;
}

export const LATE_MS = 100;
/** All players begin within this. */
const STARTS_WITHIN_MS = 1_000;
const HEAD_BYTES = 16;

interface Track {
  readonly clockRate: number;
  firstAt: number;
  firstTime: number;
  seq: number;
}

/** Walks through what a connection brings, packet by packet, and keeps only heads that are cut in two. */
class PacketHeads {
  readonly tracks: readonly Track[];
  packets = 0;
  late = 0;
  lost = 0;
  latestMs = Number.NEGATIVE_INFINITY;
  readonly #head = new Uint8Array(HEAD_BYTES);
  readonly #view = new DataView(this.#head.buffer);
  #have = 0;
  #skip = 0;

  constructor(clockRates: readonly number[]) {
    this.tracks = clockRates.map((clockRate) => ({ clockRate, firstAt: 0, firstTime: 0, seq: -1 }));
  }

  take(bytes: Uint8Array, now: number): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, bytes.length - at);
        this.#skip -= step;
        at += step;
        continue;
      }
      while (this.#have < HEAD_BYTES && at < bytes.length) this.#head[this.#have++] = bytes[at++] ?? 0;
      if (this.#have < HEAD_BYTES) return;
      this.#have = 0;
      if (this.#head[0] !== 0x24) throw new Error("no packet where one was due");
      // The shortest packet of all, a sender report, is longer than a head.
      this.#skip = this.#view.getUint16(2) + 4 - HEAD_BYTES;
      this.#see(this.#head[1] ?? 0, now);
    }
  }

  #see(channel: number, now: number): void {
    const track = channel % 2 === 0 ? this.tracks[channel / 2] : undefined;
    if (!track) return;
    this.packets++;
    const [seq, time] = [this.#view.getUint16(6), this.#view.getUint32(8)];
    if (track.seq < 0) {
      track.firstAt = now;
      track.firstTime = time;
    } else this.lost += (seq - track.seq - 1) & 0xffff;
    track.seq = seq;
    const lateMs = now - track.firstAt - (((time - track.firstTime) | 0) / track.clockRate) * 1000;
    if (lateMs > LATE_MS) this.late++;
    if (lateMs > this.latestMs) this.latestMs = lateMs;
  }
}

interface Player {
  readonly heads: PacketHeads;
  readonly startMs: number;
}

/** Resolves when the first packet has come. */
async function play(url: string, place: number, stalls: boolean): Promise<Player> {
  const { promise: began, resolve: begin, reject } = Promise.withResolvers<number>();
  let heads: PacketHeads | null = null;
  let text = "";
  let answered: (answer: string) => void = () => undefined;
  const { hostname, port } = new URL(url);
  const readText = (bytes: Uint8Array) => {
    text += Buffer.from(bytes).toString("latin1");
    const end = text.indexOf("\r\n\r\n") + 4;
    const length = Number(/content-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0);
    if (end < 4 || text.length < end + length) return;
    const [answer, rest] = [text.slice(0, end + length), text.slice(end + length)];
    text = "";
    if (answer.includes("RTP-Info")) {
      heads = new PacketHeads(clockRates);
      text = rest;
    }
    answered(answer);
  };
  let clockRates: number[] = [];
  const socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      data(_socket, bytes) {
        if (heads === null) readText(bytes);
        else takePackets(heads, bytes);
      },
      close: () => reject(new Error("the server closed a connection")),
      error: (_socket, error) => reject(error),
    },
  });
  const takePackets = (to: PacketHeads, bytes: Uint8Array) => {
    const now = performance.now();
    const wasEmpty = to.packets === 0;
    to.take(bytes, now);
    if (!wasEmpty || to.packets === 0) return;
    begin(now);
    if (stalls) socket.pause();
  };
  let cseq = 0;
  const ask = async (method: string, to: string, headers: string) => {
    const { promise, resolve } = Promise.withResolvers<string>();
    answered = resolve;
    socket.write(`${method} ${to} RTSP/1.0\r\nCSeq: ${++cseq}\r\n${headers}\r\n`);
    const answer = await promise;
    if (!answer.startsWith("RTSP/1.0 200")) throw new Error(`${method}: ${answer}`);
    return answer;
  };
  const description = await ask("DESCRIBE", url, "Accept: application/sdp\r\n");
  const base = /content-base: (\S+)/i.exec(description)?.[1] ?? url;
  clockRates = [...description.matchAll(/a=rtpmap:\d+ [^/]+\/(\d+)/g)].map(([, rate]) => Number(rate));
  const controls = [...description.matchAll(/a=control:(.*)\r\n/g)].map(([, control = ""]) => control);
  let session = "";
  for (const [index, control] of controls.filter((one) => one !== "*").entries()) {
    const transport = `Transport: RTP/AVP/TCP;unicast;interleaved=${index * 2}-${index * 2 + 1}\r\n`;
    const to = control.startsWith("rtsp:") ? control : base + control;
    const answer = await ask("SETUP", to, transport + session);
    session = `Session: ${/session: ([^;\s]+)/i.exec(answer)?.[1]}\r\n`;
  }
  const asked = performance.now();
  await ask("PLAY", base, `${session}Range: npt=${place}-\r\n`);
  if (heads !== null && text !== "") takePackets(heads, Buffer.from(text, "latin1"));
  const startMs = (await began) - asked;
  if (heads === null) throw new Error("no packets");
  return { heads, startMs };
}

async function main([url = "", count = "", places = "", seconds = "", how]: readonly string[]): Promise<void> {
  const players = await Promise.all(
    Array.from({ length: Number(count) }, async (_, index) => {
      await Bun.sleep((index / Number(count)) * STARTS_WITHIN_MS);
      return play(url, 2 * (index % Number(places)), how === "stall");
    }),
  );
  console.log("playing");
  const [began, used] = [performance.now(), process.cpuUsage()];
  await Bun.sleep(Number(seconds) * 1000);
  const { user, system } = process.cpuUsage(used);
  const ownCpu = (user + system) / 1e3 / (performance.now() - began);
  const total = (of: (heads: PacketHeads) => number) => players.reduce((sum, { heads }) => sum + of(heads), 0);
  const starts = players.map(({ startMs }) => startMs).sort((a, b) => a - b);
  const seen: SeenByPlayers = {
    packets: total(({ packets }) => packets),
    late: total(({ late }) => late),
    latestMs: Math.max(...players.map(({ heads }) => heads.latestMs)),
    lost: total(({ lost }) => lost),
    ownCpu,
    startMs: { median: starts[starts.length >> 1] ?? 0, longest: starts.at(-1) ?? 0 },
  };
  console.log(JSON.stringify(seen));
  process.exit(0);
}

if (import.meta.main) await main(Bun.argv.slice(2));
