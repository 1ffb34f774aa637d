import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type FixtureName, fixture } from "../../test/support/fixtures.ts";
import { temporaryFolder } from "../../test/support/folder.ts";
import { run } from "../../test/support/packets.ts";
import { stagedOriginal } from "../../test/support/rtp-stage.ts";
import { until } from "../../test/support/until.ts";
import { rtpTracksOf } from "../media/rtp/rtp-tracks.ts";
import { sessionDescription } from "../media/rtp/sdp.ts";
import { forEachPacket } from "./packet-sink.ts";
import { RtpEngine } from "./rtp-engine.ts";

const address = "127.0.0.1";
const slowMs = 60_000;

/** The first of some ports in a row that nobody has, an even one as RTP wants it. */
async function freePorts(count: number): Promise<number> {
  return until(async () => {
    const probe = await Bun.udpSocket({ hostname: address });
    const first = probe.port & ~1;
    probe.close();
    try {
      for (let i = 0; i < count; i++) (await Bun.udpSocket({ hostname: address, port: first + i })).close();
      return first;
    } catch {
      return null;
    }
  });
}

const isBound = (port: number) =>
  readFileSync("/proc/net/udp", "utf8").includes(`:${port.toString(16).toUpperCase().padStart(4, "0")} `);

/** ffmpeg ends at a BYE, even where it has not taken in all packets that came before. */
const hasBye = (channel: number, packet: Uint8Array) =>
  channel % 2 === 1 && Buffer.from(packet).includes(Buffer.from([0x81, 203]));

interface Decoded {
  readonly pictures: string[];
  readonly sound: string[];
}

/** The hashes of all decoded pictures, and of all packets of sound. */
function decoded(text: string): Decoded {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const of = (stream: string) => lines.flatMap((line) => (line.startsWith(stream) ? [line.split(",")[5] ?? ""] : []));
  return { pictures: of("0,"), sound: of("1,") };
}

/** Sends a title to ffmpeg over UDP at its own speed; what ffmpeg has decoded. */
async function receivedByFfmpeg(name: FixtureName, wanted: Decoded): Promise<Decoded> {
  using folder = temporaryFolder();
  const original = await stagedOriginal(name);
  const { tracks } = rtpTracksOf(original.presentation);
  const first = await freePorts(tracks.length * 2);
  const path = join(folder.path, "stream.sdp");
  const description = sessionDescription({
    ...{ name, sessionId: "1", tracks, durationSeconds: original.presentation.description.durationSeconds },
    ...{ originAddress: address, connectionAddress: address },
    portOf: (track) => first + tracks.indexOf(track) * 2,
  });
  await Bun.write(path, description);
  const out = join(folder.path, "frames.txt");
  const input = ["-protocol_whitelist", "file,udp,rtp", "-i", path];
  const output = [
    "-map",
    "0",
    "-vsync",
    "passthrough",
    "-c:a",
    "copy",
    "-flush_packets",
    "1",
    "-f",
    "framehash",
    "-hash",
    "md5",
    out,
  ];
  const ffmpeg = Bun.spawn(["ffmpeg", "-v", "error", ...input, ...output], { stdio: ["ignore", "ignore", "ignore"] });
  const udp = await Bun.udpSocket({ hostname: address });
  const engine = new RtpEngine();
  try {
    await until(() => isBound(first + tracks.length * 2 - 1));
    const send = (bytes: Uint8Array) =>
      forEachPacket(bytes, (channel, packet) => {
        if (!hasBye(channel, packet)) udp.send(packet, first + channel, address);
      });
    const stream = engine.open({ original, tracks: original.tracks, sink: { send, pendingBytes: 0, onDrain() {} } });
    const ends: string[] = [];
    stream.onEnd(({ kind }) => ends.push(kind));
    const play = () => stream.play({ startSeconds: 0, endSeconds: null, scale: 1 });
    await play();
    await until(() => ends.length === 1, slowMs);
    // What follows pushes out what ffmpeg holds back.
    await play();
    const received = await until(async () => {
      const now = decoded((await Bun.file(out).exists()) ? await Bun.file(out).text() : "");
      return now.pictures.length > wanted.pictures.length && now.sound.length > wanted.sound.length && now;
    }, slowMs);
    return received;
  } finally {
    engine.close();
    udp.close();
    ffmpeg.kill();
  }
}

async function expected(name: FixtureName) {
  const input = ["-ignore_editlist", "1", "-i", await fixture(name), "-map", "0:V:0", "-map", "0:a:0"];
  const output = ["-vsync", "passthrough", "-c:a", "copy", "-f", "framehash", "-hash", "md5", "-"];
  return decoded(await run(["ffmpeg", "-v", "error", ...input, ...output]));
}

for (const name of ["h264-aac-3.72s.mp4", "h265-opus.mp4"] as const) {
  test(
    `ffmpeg decodes ${name} from RTP over UDP to the same pictures, and has all packets of sound`,
    async () => {
      const original = await expected(name);
      const received = await receivedByFfmpeg(name, original);
      expect(received.pictures.slice(0, original.pictures.length)).toEqual(original.pictures);
      expect(received.sound.slice(0, original.sound.length)).toEqual(original.sound);
    },
    slowMs,
  );
}
