import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { has } from "./support/debian.ts";
import { type FixtureName, fixture } from "./support/fixtures.ts";
import { temporaryFolder } from "./support/folder.ts";
import { startTestKinora, type TestKinora, TestUser } from "./support/kinora.ts";
import { packetsOf, run } from "./support/packets.ts";
import { playRtspWithGstreamer } from "./support/players/gstreamer-rtsp.ts";
import { playRtspWithMpv } from "./support/players/mpv-rtsp.ts";
import { runProgram } from "./support/players/player.ts";

const FILM = "h264-aac-3.72s.mp4";
const SECONDS = 3.72;

let kinora: TestKinora;
let user: TestUser;
const urls = new Map<FixtureName, Promise<string>>();

beforeAll(async () => {
  kinora = await startTestKinora();
  user = await TestUser.signIn(kinora, "root");
});
afterAll(() => kinora.close());

/** The RTSP URL of a private video, with a grant. */
function urlOf(name: FixtureName = FILM): Promise<string> {
  const made = urls.get(name) ?? upload(name);
  urls.set(name, made);
  return made;
}

async function upload(name: FixtureName): Promise<string> {
  const { id } = await user.upload(await fixture(name));
  const link = (await (await user.post("/api/links", { titleId: id })).json()) as { rtspUrl: string };
  return link.rtspUrl;
}

type Transport = "tcp" | "udp";

/** The hashes of a file's packets by stream, in their order. */
async function hashesOf(path: string): Promise<string[][]> {
  const packets = await packetsOf(path);
  return [0, 1].map((stream) => packets.filter((packet) => packet.stream === stream).map(({ hash }) => hash));
}

/**
 * What ffmpeg receives, written without decoding in the original's form (ISO/IEC 14496-15): parameter sets, which are
 * sent again with each key frame, stand beside the samples there.
 */
async function receive(name: FixtureName, transport: Transport): Promise<string[][]> {
  using folder = temporaryFolder();
  const path = join(folder.path, "received.mp4");
  const input = ["-rtsp_transport", transport, "-i", await urlOf(name)];
  const withoutSets = `filter_units=remove_types=${name.startsWith("h265") ? "32-34" : "7-8"}`;
  const ran = await runProgram([
    "ffmpeg",
    "-nostdin",
    "-v",
    "error",
    ...input,
    "-map",
    "0",
    "-c",
    "copy",
    "-bsf:v",
    withoutSets,
    path,
  ]);
  if (ran.code !== 0) throw new Error(ran.errors);
  return await hashesOf(path);
}

/** Whether `part` is `whole` with some left out. */
function isInOrder(part: readonly string[], whole: readonly string[]): boolean {
  let at = 0;
  for (const one of part) {
    at = whole.indexOf(one, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

describe.skipIf(!has("ffmpeg"))("ffmpeg", () => {
  const films: FixtureName[] = [FILM, "h265-aac.mp4", "h264-aac.mkv"];
  test.concurrent.each(films)(
    "receives every packet of %s over TCP as it is in the original, in order",
    async (name) => {
      expect(await receive(name, "tcp")).toEqual(await hashesOf(await fixture(name)));
    },
  );

  test.concurrent("receives the packets over UDP", async () => {
    const [received, original] = [await receive(FILM, "udp"), await hashesOf(await fixture(FILM))];
    for (const [stream, hashes] of received.entries()) {
      expect(isInOrder(hashes, original[stream] ?? [])).toBe(true);
      expect(hashes.length).toBeGreaterThan(0.9 * (original[stream]?.length ?? 0));
    }
  });

  test.concurrent.each(["tcp", "udp"] as const)("ffprobe describes it over %s", async (transport) => {
    const url = await urlOf();
    const shown = ["-show_entries", "stream=codec_name,width,sample_rate:format=duration", "-of", "json"];
    const found = JSON.parse(await run(["ffprobe", "-v", "error", "-rtsp_transport", transport, ...shown, url]));
    expect(found.streams).toMatchObject([
      { codec_name: "h264", width: 640 },
      { codec_name: "aac", sample_rate: "48000" },
    ]);
    expect(Number(found.format.duration)).toBeCloseTo(SECONDS, 2);
  });

  test.concurrent("seeks: it begins at the key frame at or before the place and goes on to the end", async () => {
    const input = ["-ss", "2.3", "-rtsp_transport", "tcp", "-i", await urlOf()];
    const ran = await runProgram([
      "ffmpeg",
      "-nostdin",
      "-v",
      "error",
      ...input,
      "-map",
      "0:v",
      "-c",
      "copy",
      "-copyts",
      "-f",
      "framehash",
      "-",
    ]);
    const times = ran.out
      .split("\n")
      .filter((line) => line.startsWith("0,"))
      .map((line) => Number(line.split(",")[2]) / 90_000);
    expect(ran.code).toBe(0);
    expect(times.length).toBeWithin(Math.floor((SECONDS - 2.3) * 25) - 2, Math.ceil((SECONDS - 2) * 25) + 2);
  });

  test.concurrent("is refused without the grant", async () => {
    const url = (await urlOf()).replace(/\?.*/, "");
    const refused = await runProgram(["ffprobe", "-v", "error", "-rtsp_transport", "tcp", url]);
    expect(refused.code).not.toBe(0);
    expect(refused.errors).toContain("401");
  });
});

const gstreamer = ["gst-launch-1.0", "gstreamer1.0-plugins-good", "gstreamer1.0-libav", "python3-gi"];

describe.skipIf(!has(...gstreamer))("GStreamer", () => {
  const facts = { pictures: 93, seek: { to: 2.5, keyFrame: 2 }, picturesAfterSeek: 43, lastPicture: 3.68 };
  test.concurrent.each(["tcp", "udp"] as const)(
    "plays over %s: whole, paused and resumed, after a seek",
    async (transport) => {
      expect(await playRtspWithGstreamer({ url: await urlOf(), transport, ...facts })).toEqual([]);
    },
  );

  test.concurrent("takes the grant as a password, and gets nothing with another one", async () => {
    const url = new URL(await urlOf());
    using folder = temporaryFolder();
    const receive = async (password: string): Promise<number> => {
      const file = Bun.file(join(folder.path, `received-${password.length}`));
      const source = ["rtspsrc", `location=rtsp://${url.host}${url.pathname}`, "user-id=any", "protocols=tcp"];
      const sink = ["filesink", `location=${file.name}`];
      // How it ends says nothing: at the end it sometimes stumbles over its own farewell.
      await runProgram(["gst-launch-1.0", "-q", ...source, `user-pw=${password}`, "!", ...sink]);
      return (await file.exists()) ? file.size : 0;
    };
    const grant = url.searchParams.get("grant") ?? "";
    expect(await receive(grant)).toBeGreaterThan(10_000);
    expect(await receive(`${grant}x`)).toBe(0);
  });
});

// Debian's VLC opens no RTSP of any server (docs/rtsp.md): mpv stands for the players that people use.
describe.skipIf(!has("mpv"))("mpv", () => {
  test.concurrent.each(["tcp", "udp"] as const)(
    "plays over %s: paused and resumed, after a seek, each to the end",
    async (transport) => {
      const task = { url: await urlOf(), transport, durationSeconds: SECONDS, seekTo: 2.5 };
      expect(await playRtspWithMpv(task)).toEqual([]);
    },
  );
});
