import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FixtureName, fixture } from "../../../test/support/fixtures.ts";
import { fileSource, packetsOf, planBytes } from "../../../test/support/packets.ts";
import { openMedia } from "../open.ts";
import { planStill } from "./still.ts";

const names: readonly FixtureName[] = [
  "h264-aac-60s.mp4",
  "h264-aac-60s.mkv",
  "h264-open-gop.mkv",
  "h264-aac-fragmented.mp4",
  "h265-aac.mp4",
  "h264-variable.mp4",
  "h264-aac.ts",
  "vp9-opus.webm",
];

test.each([...names])("the picture of %s is a file of one key frame at its start", async (name) => {
  const source = await fileSource(await fixture(name));
  const { presentation } = await openMedia(source);
  const plan = presentation && (await planStill(presentation, source));
  if (!plan) throw new Error(`${name} has no picture`);
  const bytes = await planBytes(source, plan);
  expect(bytes.length).toBe(plan.sizeBytes);
  const folder = await mkdtemp(join(tmpdir(), "kinora-still-"));
  const path = join(folder, "still.mp4");
  await Bun.write(path, bytes);
  const packets = await packetsOf(path, "-v", "fatal");
  const original = await packetsOf(await fixture(name));
  await rm(folder, { recursive: true });
  const [picture, ...others] = packets;
  expect(others).toEqual([]);
  expect(picture?.isKey).toBe(true);
  expect(picture?.dts ?? -1).toBeLessThanOrEqual(0);
  // In a transport stream it has another form.
  if (name.endsWith(".ts")) return;
  expect(original.filter(({ isKey, stream }) => isKey && stream === 0).map(({ hash }) => hash)).toContain(
    picture?.hash ?? "",
  );
});
