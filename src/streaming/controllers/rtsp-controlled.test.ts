import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { fixture } from "../../../test/support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../../../test/support/kinora.ts";
import { until } from "../../../test/support/until.ts";
import type { StreamHandle } from "../contract.ts";

let kinora: TestKinora;
let admin: TestUser;
let ada: TestUser;
let titleId = "";
beforeAll(async () => {
  kinora = await startTestKinora({ auth: { tokenLifetime: "3s" }, streams: { grace: "1s" } });
  admin = await TestUser.signIn(kinora, "root");
  ada = await TestUser.signIn(kinora, "ada");
  titleId = (await ada.upload(await fixture("h264-aac-60s.mp4"))).id;
});
afterAll(() => kinora.close());

const players: Player[] = [];
afterEach(() => {
  for (const player of players.splice(0)) player.kill();
});

/** ffmpeg, playing a URL at its own pace. */
class Player {
  packets = 0;
  readonly #process: Bun.Subprocess<"ignore", "pipe", "ignore">;

  constructor(url: string) {
    const arguments_ = ["-v", "error", "-rtsp_transport", "tcp", "-i", url, "-c", "copy", "-flush_packets", "1"];
    this.#process = Bun.spawn(["ffmpeg", ...arguments_, "-f", "framehash", "-"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    void this.#read();
    players.push(this);
  }

  get exited(): Promise<number> {
    return this.#process.exited;
  }

  kill(): void {
    this.#process.kill();
  }

  async #read(): Promise<void> {
    for await (const chunk of this.#process.stdout)
      this.packets += new TextDecoder().decode(chunk).split("\n").length - 1;
  }
}

async function startStream(): Promise<StreamHandle> {
  return (await (await ada.post("/api/streams", { titleId, protocol: "rtsp" })).json()) as StreamHandle;
}

/** Renews a stream until the result is called. */
function keepAlive(id: string): () => void {
  const timer = setInterval(() => void ada.post(`/api/streams/${id}/refresh`).catch(() => undefined), 300);
  return () => clearInterval(timer);
}

/** Waits until it stands still: what was on its way has arrived. */
async function restingPackets(player: Player): Promise<number> {
  for (let before = -1; ; await Bun.sleep(500)) {
    if (player.packets === before) return before;
    before = player.packets;
  }
}

test("an RTSP player is paused, goes on, and is cut when an admin stops the stream; the URL plays no more", async () => {
  const { id, url } = await startStream();
  const end = keepAlive(id);
  const player = new Player(url);
  await until(() => player.packets > 20);
  await ada.post(`/api/streams/${id}/pause`);
  const paused = await restingPackets(player);
  await ada.post(`/api/streams/${id}/resume`);
  await until(() => player.packets > paused + 20);
  end();
  await admin.send("DELETE", `/api/streams/${id}`);
  const begin = performance.now();
  await player.exited;
  expect(performance.now() - begin).toBeLessThan(5_000);
  const again = new Player(url);
  expect(await again.exited).not.toBe(0);
  expect(again.packets).toBe(0);
}, 30_000);

test("an RTSP player plays for as long as the stream is renewed, and is cut after the grace when it is not", async () => {
  const { id, url } = await startStream();
  const player = new Player(url);
  const end = keepAlive(id);
  const began = performance.now();
  await until(() => player.packets > 0);
  // Longer than the first credential and the grace together.
  while (performance.now() - began < 4_500) await Bun.sleep(100);
  const packets = player.packets;
  await until(() => player.packets > packets);
  end();
  await player.exited;
  expect((await (await ada.get("/api/streams")).json()) as unknown).toEqual({ items: [] });
}, 30_000);
