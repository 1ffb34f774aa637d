import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FixtureName, fixture } from "../../../test/support/fixtures.ts";
import { fileSource, packetsOf, planBytes } from "../../../test/support/packets.ts";
import { initSegment } from "../../media/cmaf/init-segment.ts";
import { hlsKeyFramePlaylist } from "../../media/hls/hls-key-frames.ts";
import { videoTrack } from "../../media/movie.ts";
import { openMedia } from "../../media/open.ts";
import { parseKeyFrames } from "./key-frames.ts";
import { firstPicture, pictureFile } from "./one-picture.ts";

/** The init segment of the video, and the last key frame as the I-frame playlist names it. */
async function lastKeyFrame(name: FixtureName) {
  const source = await fileSource(await fixture(name));
  const { presentation } = await openMedia(source);
  const video = presentation && videoTrack(presentation);
  const frames = video && parseKeyFrames(hlsKeyFramePlaylist(presentation, video.id) ?? "");
  const n = Number.parseInt(/(\d+)\.m4s$/.exec(frames?.uris.at(-1) ?? "")?.[1] ?? "0", 10);
  const size = frames?.sizes.at(-1) ?? 0;
  const plan =
    video &&
    (await (size > 0 ? presentation.plan(source, video.id, n) : presentation.planKeyFrame(source, video.id, n)));
  if (!plan) throw new Error(`${name} has no such key frame`);
  const bytes = new Uint8Array(await planBytes(source, plan));
  return {
    init: new Uint8Array(initSegment(presentation, video.id)),
    fragment: size > 0 ? bytes.slice(0, size) : bytes,
  };
}

describe("a key frame of a segment", () => {
  // One range of the original, gathered, fragmented, a fragment of its own, from a transport stream.
  const names = ["h264-aac-heavy.mp4", "h264-late-aac.mp4", "h264-aac-fragmented.mp4", "h264-aac-60s.mkv"] as const;

  test.each([...names, "h264-aac.ts"] as const)("of %s becomes a file of it alone, shown at once", async (name) => {
    const { init, fragment } = await lastKeyFrame(name);
    const picture = firstPicture(fragment);
    if (!picture) throw new Error("there is no picture");
    const folder = await mkdtemp(join(tmpdir(), "kinora-picture-"));
    const path = join(folder, "picture.mp4");
    await Bun.write(path, pictureFile(init, picture));
    const [only, ...others] = await packetsOf(path, "-v", "error");
    await rm(folder, { recursive: true });
    expect(others).toEqual([]);
    expect(only).toMatchObject({ isKey: true, pts: 0 });
    // In a transport stream it has another form.
    if (name === "h264-aac.ts") return;
    const original = await packetsOf(await fixture(name));
    const keys = original.filter(({ isKey, stream }) => isKey && stream === 0);
    expect(keys.map(({ hash }) => hash)).toContain(only?.hash ?? "");
  });

  test("that is cut short, or none, is no picture", async () => {
    const { fragment } = await lastKeyFrame("h264-late-aac.mp4");
    for (let length = 0; length < fragment.length; length += length < 400 ? 1 : 997)
      expect(firstPicture(fragment.slice(0, length))).toBeNull();
    expect(firstPicture(new Uint8Array(4000).fill(255))).toBeNull();
    expect(firstPicture(new Uint8Array(4000))).toBeNull();
  });
});
