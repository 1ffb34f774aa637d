import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { has } from "../support/debian.ts";
import { type FixtureName, fixture } from "../support/fixtures.ts";
import { casesFor, isLong } from "../support/players/cases.ts";
import { playWithFfmpeg } from "../support/players/ffmpeg.ts";
import { playWithGstreamer } from "../support/players/gstreamer.ts";
import type { Complaints, Protocol, Task } from "../support/players/player.ts";
import { PlayerRecord } from "../support/players/record.ts";
import { Stage } from "../support/players/stage.ts";
import { playWithVlc } from "../support/players/vlc.ts";

const gstreamer = ["gstreamer1.0-plugins-good", "gstreamer1.0-plugins-bad", "gstreamer1.0-libav", "python3-gi"];
const record = new PlayerRecord();

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(async () => {
  await stage.close();
  if (isLong) await record.save("programs");
});

/** A test for each protocol and fixture. */
function plays(
  player: string,
  cases: readonly (readonly [Protocol, FixtureName])[],
  play: (task: Task) => Promise<Complaints>,
) {
  test.each(cases)("plays %s of %s to the end and after seeks", async (protocol, name) => {
    const task = await stage.task(name, protocol);
    // Which are not packaged is told by the formats' test.
    if (!(await fetch(task.url)).ok) return;
    expect(record.note(player, protocol, name, await play(task))).toEqual([]);
  });
}

/** A private video, by a link and nothing else; once that is revoked the player has to complain. */
function playsByLink(play: (task: Task) => Promise<Complaints>) {
  test("plays a private video by a playback link until it is revoked", async () => {
    const { id } = await stage.owner.upload(await fixture("h264-aac.mp4"));
    const { original } = await stage.task("h264-aac.mp4", "hls");
    const link = await (await stage.owner.post("/api/links", { titleId: id })).json();
    const tasks = (["hls", "dash"] as const).map(
      (protocol): Task => ({ url: link[`${protocol}Url`], protocol, original, seeks: [4.2], explained: [] }),
    );
    for (const task of tasks) expect([task.protocol, ...(await play(task))]).toEqual([task.protocol]);
    await stage.owner.send("DELETE", `/api/links/${link.id}`);
    for (const task of tasks) expect(await play(task).catch(() => ["nothing was played"])).not.toEqual([]);
  });
}

describe.skipIf(!has("ffmpeg"))("ffmpeg", () => {
  plays("ffmpeg", casesFor("ffmpeg"), playWithFfmpeg);

  test("plays a private video for who has the cookie", async () => {
    const { id } = await stage.owner.upload(await fixture("h264-aac.mp4"));
    const { original } = await stage.task("h264-aac.mp4", "hls");
    for (const [protocol, path] of [
      ["hls", "hls/master.m3u8"],
      ["dash", "dash/manifest.mpd"],
    ] as const) {
      const task: Task = {
        url: `${stage.kinora.url}/stream/${id}/${path}`,
        protocol,
        original,
        seeks: [4.2],
        explained: [],
      };
      expect(await playWithFfmpeg(task, { Cookie: stage.owner.cookie })).toEqual([]);
      expect(await playWithFfmpeg(task)).not.toEqual([]);
    }
  });

  playsByLink(playWithFfmpeg);
});

describe.skipIf(!has("ffmpeg", ...gstreamer))("GStreamer with adaptivedemux2", () => {
  plays("GStreamer 2", casesFor("GStreamer 2"), (task) => playWithGstreamer(task, "adaptivedemux2"));
  playsByLink((task) => playWithGstreamer(task, "adaptivedemux2"));
});

describe.skipIf(!has("ffmpeg", ...gstreamer))("GStreamer with adaptivedemux", () => {
  plays("GStreamer 1", casesFor("GStreamer 1"), (task) => playWithGstreamer(task, "adaptivedemux"));
  playsByLink((task) => playWithGstreamer(task, "adaptivedemux"));
});

describe.skipIf(!has("cvlc", "vlc-plugin-base", "ffmpeg"))("VLC", () => {
  plays("VLC", casesFor("VLC"), playWithVlc);
  playsByLink(playWithVlc);
});
