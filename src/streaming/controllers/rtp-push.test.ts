import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fixture } from "../../../test/support/fixtures.ts";
import { temporaryFolder } from "../../../test/support/folder.ts";
import { startTestKinora, type TestKinora, TestUser } from "../../../test/support/kinora.ts";
import { resting, until } from "../../../test/support/until.ts";
import type { StreamHandle, StreamSummary } from "../contract.ts";

let kinora: TestKinora;
let ada: TestUser;
let titleId = "";
beforeAll(async () => {
  kinora = await startTestKinora({ auth: { tokenLifetime: "5m" }, streams: { perUser: 20 } });
  ada = await TestUser.signIn(kinora, "ada");
  titleId = (await ada.upload(await fixture("h264-aac-3.72s.mp4"))).id;
});
afterAll(() => kinora.close());

const post = async (body: Record<string, unknown>) => ada.post("/api/streams", { titleId, protocol: "rtp", ...body });

async function push(clientPort: number): Promise<StreamHandle> {
  const response = await post({ clientPort });
  if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as StreamHandle;
}

const streams = async () => ((await (await ada.get("/api/streams")).json()) as { items: StreamSummary[] }).items;

/** What has happened to a stream, and how it ended. */
async function follow(id: string) {
  const response = await ada.get(`/api/streams/${id}/events`);
  let text = "";
  const read = async () => {
    for await (const chunk of response.body ?? []) text += new TextDecoder().decode(chunk);
  };
  const ended = read();
  await until(() => text.includes("hello"));
  return {
    ended,
    names: () =>
      [...text.matchAll(/^event: (.*)\ndata: .*?(?:"reason":"(.*)")?}$/gm)].map((m) => m.slice(1).join(" ").trim()),
  };
}

/** Sockets on an even port and those after it. */
async function receivers(count: number, onPacket: (channel: number, packet: Buffer, from: number) => void) {
  for (;;) {
    const sockets: Bun.udp.Socket<"buffer">[] = [];
    const open = (port: number, channel: number) =>
      Bun.udpSocket({
        hostname: "127.0.0.1",
        port,
        socket: { data: (_socket, packet, from) => onPacket(channel, packet, from) },
      });
    const close = () => {
      for (const socket of sockets) socket.close();
    };
    try {
      sockets.push(await open(0, 0));
      const port = sockets[0]?.port ?? 1;
      if (port % 2 === 0) {
        while (sockets.length < count) sockets.push(await open(port + sockets.length, sockets.length));
        return { port, close };
      }
    } catch {
      // One of them is somebody else's: others are tried.
    }
    close();
  }
}

/** An even port that nobody has, nor those after it. */
async function freePorts(): Promise<number> {
  const { port, close } = await receivers(4, () => undefined);
  close();
  return port;
}

const isRtcp = (packet: Buffer, type: number) => {
  for (let at = 0; at + 4 <= packet.length; at += 4 * (packet.readUInt16BE(at + 2) + 1))
    if (packet[at + 1] === type) return true;
  return false;
};
const BYE = 203;

test("goes to the ports of the one who asked, is described, paused, resumed and said good-bye to at its end", async () => {
  const counts = [0, 0, 0, 0];
  const byes = [false, false, false, false];
  const { port, close } = await receivers(4, (channel, packet) => {
    counts[channel] = (counts[channel] ?? 0) + 1;
    if (channel % 2 === 1 && isRtcp(packet, BYE)) byes[channel] = true;
  });
  const { id, sdp, url, syncTopic } = await push(port);
  expect([url, syncTopic]).toEqual([`rtp://127.0.0.1:${port}`, `StreamerSync.${id}`]);
  expect(sdp).toContain("\r\nc=IN IP4 127.0.0.1\r\n");
  expect(sdp).toMatch(/^o=- \d+ 1 IN IP4 127\.0\.0\.1\r$/m);
  expect([...(sdp ?? "").matchAll(/^m=(\w+) (\d+) /gm)].map((m) => `${m[1]} ${m[2]}`)).toEqual([
    `video ${port}`,
    `audio ${port + 2}`,
  ]);
  const events = await follow(id);
  await until(() => (counts[0] ?? 0) > 0 && (counts[2] ?? 0) > 0);
  await ada.post(`/api/streams/${id}/pause`);
  await resting(() => counts.reduce((sum, count) => sum + count), 400);
  await ada.post(`/api/streams/${id}/resume`);
  await events.ended;
  expect(events.names()).toEqual(["paused", "resumed", "ended", "stopped ended"]);
  await until(() => byes[1] && byes[3]);
  expect(await streams()).toEqual([]);
  close();
});

/** Whether somebody has a UDP port. */
function isBound(port: number): boolean {
  const digits = port.toString(16).toUpperCase().padStart(4, "0");
  return readFileSync("/proc/net/udp", "utf8").includes(`:${digits} 00000000:0000`);
}

test("is played by ffmpeg from the description alone, every picture of it", async () => {
  using folder = temporaryFolder();
  const { id, sdp } = await push(await freePorts());
  await ada.post(`/api/streams/${id}/pause`);
  const path = join(folder.path, "stream.sdp");
  writeFileSync(path, sdp ?? "");
  const hashes = async (input: string[]) => {
    const arguments_ = ["-map", "0:v", "-c", "copy", "-bsf:v", "h264_mp4toannexb", "-f", "framehash", "-"];
    const ffmpeg = Bun.spawn(["ffmpeg", "-v", "error", ...input, ...arguments_], { stdio: ["ignore", "pipe", "pipe"] });
    const text = await new Response(ffmpeg.stdout).text();
    return text.split("\n").flatMap((line) => (/^\d/.test(line) ? [line.split(",").at(-1)?.trim() ?? ""] : []));
  };
  const played = hashes([...["-protocol_whitelist", "file,udp,rtp", "-reorder_queue_size", "0"], "-i", path]);
  const ports = [...(sdp ?? "").matchAll(/^m=\w+ (\d+) /gm)].map((m) => Number(m[1]));
  await until(() => ports.every((port) => isBound(port) && isBound(port + 1)));
  await ada.post(`/api/streams/${id}/resume`);
  expect((await played).length).toBe(93);
  await until(async () => (await streams()).length === 0);
});

test("is sent to no port that Kinora itself sends from: not to those of RTSP, nor to those of another push", async () => {
  const udpPort = await freePorts();
  const fixed = await startTestKinora({ rtsp: { listen: "127.0.0.1:0", udpPort } });
  try {
    const user = await TestUser.signIn(fixed, "ada");
    const { id } = await user.upload(await fixture("h264-aac-60s.mp4"));
    const ask = async (clientPort: number) => {
      const response = await user.post("/api/streams", { titleId: id, protocol: "rtp", clientPort });
      return [response.status, ((await response.json()) as { detail?: string }).detail ?? ""] as const;
    };
    const refused = (port: number) => [400, `Port ${port} is one that Kinora sends from: choose another clientPort.`];
    expect(await ask(udpPort)).toEqual(refused(udpPort) as never);
    expect(await ask(udpPort - 2)).toEqual(refused(udpPort) as never);
    const from: number[] = [];
    const player = await receivers(4, (_channel, _packet, port) => void from.push(port));
    expect((await ask(player.port))[0]).toBe(201);
    await until(() => from.length > 0);
    const own = from[0] ?? 0;
    expect((await ask(own % 2 === 0 ? own : own - 1))[0]).toBe(400);
    player.close();
  } finally {
    await fixed.close();
  }
});

test("where nobody listens it stops by itself and says so", async () => {
  const { id: longer } = await ada.upload(await fixture("h264-aac-60s.mp4"));
  const response = await post({ titleId: longer, clientPort: await freePorts() });
  const { id } = (await response.json()) as StreamHandle;
  const events = await follow(id);
  await events.ended;
  expect(events.names()).toEqual(["stopped unreachable"]);
}, 30_000);

test("sends the tracks that RTP carries, each to ports that there are", async () => {
  const tooHigh = await post({ clientPort: 65_534 });
  expect([tooHigh.status, ((await tooHigh.json()) as { code: string }).code]).toEqual([400, "invalid-request"]);
  const { id: sound } = await ada.upload(await fixture("av1-aac.mp4"));
  const { sdp } = (await (await post({ titleId: sound, clientPort: 65_534 })).json()) as StreamHandle;
  expect([...(sdp ?? "").matchAll(/^m=.*$/gm)].map(String)).toEqual(["m=audio 65534 RTP/AVP 96"]);
  const { id: neither } = await ada.upload(await fixture("mpeg4-mp3.mp4"));
  const refused = await post({ titleId: neither, clientPort: 40_000 });
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([422, "not-packaged"]);
});

test("through a trusted proxy goes to the address that the proxy names, over IPv6 to that of the request", async () => {
  const behind = await startTestKinora({ trustedProxies: ["127.0.0.1"] });
  const six = await startTestKinora({ listen: "[::1]:0" });
  try {
    for (const [where, address, headers] of [
      [behind, "127.0.0.2", { "X-Forwarded-For": "198.51.100.7, 127.0.0.2" }],
      [six, "::1", {}],
    ] as const) {
      const user = await TestUser.signIn(where, "ada");
      const { id } = await user.upload(await fixture("h264-only.mp4"));
      const received = Promise.withResolvers<void>();
      const socket = await evenSocket(address, () => received.resolve());
      const response = await user.fetch("/api/streams", {
        method: "POST",
        body: JSON.stringify({ titleId: id, protocol: "rtp", clientPort: socket.port }),
        headers: { "Content-Type": "application/json", ...headers },
      });
      const { sdp } = (await response.json()) as StreamHandle;
      expect(sdp).toContain(`\r\nc=IN ${address.includes(":") ? "IP6" : "IP4"} ${address}\r\n`);
      await received.promise;
      socket.close();
    }
  } finally {
    await behind.close();
    await six.close();
  }
});

async function evenSocket(hostname: string, onPacket: () => void) {
  for (;;) {
    const socket = await Bun.udpSocket({ hostname, port: 0, socket: { data: onPacket } });
    if (socket.port % 2 === 0) return socket;
    socket.close();
  }
}

test("says good-bye and sends no more within a second of the revocation of its token", async () => {
  const token = (await (await ada.post("/api/tokens")).json()) as { token: string; id: string };
  let lastAtMs = 0;
  let said = false;
  const { port, close } = await receivers(4, (channel, packet) => {
    lastAtMs = performance.now();
    if (channel === 1 && isRtcp(packet, BYE)) said = true;
  });
  const response = await new TestUser(kinora).fetch("/api/streams", {
    method: "POST",
    body: JSON.stringify({ titleId, protocol: "rtp", clientPort: port }),
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token.token}` },
  });
  expect(response.status).toBe(201);
  await until(() => lastAtMs > 0);
  const revokedAtMs = performance.now();
  expect((await ada.send("DELETE", `/api/tokens/${token.id}`)).status).toBe(204);
  await until(() => said);
  await Bun.sleep(300);
  expect(lastAtMs - revokedAtMs).toBeLessThan(1_000);
  close();
});
