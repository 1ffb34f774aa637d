import { expect, test } from "bun:test";
import { type FixtureName, fixture } from "../../../test/support/fixtures.ts";
import { fileSource, type Packet, packetsOf, run, withDashFolder, withoutLead } from "../../../test/support/packets.ts";
import type { ByteSource } from "../byte-source.ts";
import { initSegment } from "../cmaf/init-segment.ts";
import { hlsMultivariantPlaylist } from "../hls/hls-playlist.ts";
import { openMedia } from "../open.ts";
import type { Presentation } from "../presentation.ts";
import { dashManifest } from "./dash-manifest.ts";
import { escapeXml } from "./xml.ts";

interface Opened {
  readonly path: string;
  readonly source: ByteSource;
  readonly presentation: Presentation;
}

async function opened(name: FixtureName): Promise<Opened> {
  const path = await fixture(name);
  const source = await fileSource(path);
  const { presentation } = await openMedia(source);
  if (presentation === null) throw new Error(`${name} cannot be packaged`);
  return { path, source, presentation };
}

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  text: string;
}

const references: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"' };
const decode = (text: string) => text.replaceAll(/&(amp|lt|gt|quot);/g, (_, name: string) => references[name] ?? "");

/** Reads XML as strictly as is needed here: it fails on what is not well-formed. */
function parseXml(xml: string): Element {
  const root: Element & { children: Element[] } = { name: "", attributes: {}, children: [], text: "" };
  const open: (Element & { children: Element[] })[] = [root];
  const body = xml.replace('<?xml version="1.0" encoding="UTF-8"?>\n', "");
  for (const [whole, end, name, attributes = "", empty, text] of body.matchAll(
    /<(\/?)([A-Za-z]+)((?:\s+[A-Za-z:]+="[^"<]*")*)\s*(\/?)>|([^<]+)|</g,
  )) {
    if (whole === "<") throw new Error("a < that starts no element");
    const parent = open.at(-1) ?? root;
    if (name === undefined) parent.text += decode(text ?? "");
    else if (end === "/") expect(open.pop()?.name).toBe(name);
    else {
      const pairs = [...attributes.matchAll(/([A-Za-z:]+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [
        key,
        decode(value),
      ]);
      const child = { name, attributes: Object.fromEntries(pairs), children: [], text: "" };
      parent.children.push(child);
      if (empty !== "/") open.push(child);
    }
  }
  expect(open.length).toBe(1);
  const [first] = root.children;
  if (first === undefined) throw new Error("no element");
  return first;
}

const all = (element: Element, name: string): Element[] =>
  element.children.flatMap((child) => [...(child.name === name ? [child] : []), ...all(child, name)]);

/** All packets of all tracks, each track read alone: ffmpeg ends with the one that ends first. */
async function streamedPackets({ source, presentation }: Opened): Promise<ReadonlyMap<number, Packet[]>> {
  const order = all(parseXml(dashManifest(presentation)), "Representation").map(({ attributes }) => attributes.id);
  return withDashFolder(source, presentation, async (manifest) => {
    const read = order.map(async (id, i) => {
      return [Number(id), await packetsOf(manifest, "-select_streams", String(i))] as const;
    });
    return new Map(await Promise.all(read));
  });
}

const comparable = (packets: readonly Packet[]) =>
  packets.map(({ pts, dts, isKey, hash }) => ({
    pts: pts - (packets[0]?.pts ?? 0),
    dts: dts - (packets[0]?.dts ?? 0),
    isKey,
    hash,
  }));

const whole: readonly FixtureName[] = [
  "h264-aac.mp4",
  "h264-aac-heavy.mp4",
  "h264-only.mp4",
  "h264-negative-offsets.mp4",
  "h264-aac-rotated.mov",
  "h264-many-sounds.mp4",
  "h264-late-aac.mp4",
  "h264-long-aac.mp4",
  "h264-variable.mp4",
  "h264-aac-fragmented.mp4",
  "h265-aac.mp4",
  "vp9-opus.mp4",
  "av1-aac.mp4",
];

for (const name of whole) {
  test(`DASH of ${name} has the original's packets with their times and key flags`, async () => {
    const video = await opened(name);
    const original = await packetsOf(video.path, "-ignore_editlist", "1");
    for (const [id, packets] of await streamedPackets(video)) {
      const expected = original.filter(({ stream }) => stream === id - 1);
      expect(comparable(withoutLead(packets, expected))).toEqual(comparable(expected));
    }
  });
}

const edited: readonly FixtureName[] = [
  "h264-aac.mp4",
  "h264-aac-heavy.mp4",
  "h264-late-aac.mp4",
  "h264-aac-trimmed.mp4",
  "h264-variable.mp4",
  "vp9-opus.mp4",
];

for (const name of edited) {
  test(`picture and sound of ${name} are as far apart over DASH as in the original`, async () => {
    const video = await opened(name);
    const original = (await packetsOf(video.path)).filter(({ isDiscarded }) => !isDiscarded);
    const streamed = [...(await streamedPackets(video)).values()].flat();
    const times = new Map(streamed.map(({ hash, seconds }) => [hash, seconds]));
    const shifts = original.map(({ hash, seconds }) => (times.get(hash) ?? Number.NaN) - seconds);
    expect(Math.max(...shifts) - Math.min(...shifts)).toBeLessThan(0.001);
  });
}

test("the manifest is static, made for isoff-live, and lasts as long as the longest track", async () => {
  const { presentation } = await opened("h264-long-aac.mp4");
  const { name, attributes, children } = parseXml(dashManifest(presentation));
  expect([name, children.map((child) => child.name)]).toEqual(["MPD", ["BaseURL", "Period"]]);
  expect(attributes).toMatchObject({
    profiles: "urn:mpeg:dash:profile:isoff-live:2011",
    type: "static",
    mediaPresentationDuration: "PT13S",
    minBufferTime: "PT2S",
  });
});

test("sets tell codec, size, rates, language, name, channels and role, and count bandwidth as HLS does", async () => {
  const { presentation } = await opened("h264-many-sounds.mp4");
  const sets = all(parseXml(dashManifest(presentation)), "AdaptationSet");
  const told = sets.map((set) => {
    const [representation] = all(set, "Representation");
    const value = (name: string) => all(set, name)[0]?.attributes.value;
    const { lang, contentType } = set.attributes;
    return [
      contentType,
      representation?.attributes.codecs,
      lang,
      all(set, "Label")[0]?.text,
      value("Role"),
      value("AudioChannelConfiguration"),
    ];
  });
  expect(told).toEqual([
    ["video", "avc1.64000c", undefined, undefined, "main", undefined],
    ["audio", "mp4a.40.2", "en", "English", "main", "1"],
    ["audio", "Opus", "ja", "Japanese", "alternate", "1"],
    ["audio", "fLaC", "en", "English 2", "alternate", "1"],
    ["audio", "ac-3", "fr", "French", "alternate", "2"],
  ]);
  const video = all(sets[0] ?? { name: "", attributes: {}, children: [], text: "" }, "Representation")[0]?.attributes;
  expect(video).toMatchObject({ width: "320", height: "180", sar: "1:1", frameRate: "25" });
  expect(sets[0]?.attributes.par).toBe("16:9");
  const [picture = 0, sound = 0] = sets.map((set) => Number(all(set, "Representation")[0]?.attributes.bandwidth));
  expect(hlsMultivariantPlaylist(presentation)).toContain(`STREAM-INF:BANDWIDTH=${picture + sound},`);
});

test("a picture that is turned is as wide as it is shown", async () => {
  const { presentation } = await opened("h264-aac-rotated.mov");
  const [video] = all(parseXml(dashManifest(presentation)), "Representation");
  expect(video?.attributes).toMatchObject({ width: "360", height: "640" });
});

test("pixels that are not square are told", async () => {
  const { presentation } = await opened("h264-anamorphic.mp4");
  const manifest = parseXml(dashManifest(presentation));
  expect(all(manifest, "Representation")[0]?.attributes).toMatchObject({ width: "320", height: "240", sar: "4:3" });
  expect(all(manifest, "AdaptationSet")[0]?.attributes.par).toBe("16:9");
  expect(all(manifest, "Representation")[0]?.attributes.frameRate).toBe("30000/1001");
});

test("the timeline has every segment's time and length in ticks of its track", async () => {
  for (const name of ["h264-variable.mp4", "h264-aac.mp4", "h264-late-aac.mp4"] as const) {
    const { presentation } = await opened(name);
    for (const set of all(parseXml(dashManifest(presentation)), "AdaptationSet")) {
      const id = Number(set.attributes.id);
      const timescale = Number(all(set, "SegmentTemplate")[0]?.attributes.timescale);
      const ticks = [0];
      for (const { attributes } of all(set, "S")) {
        for (let i = 0; i <= Number(attributes.r ?? 0); i++) ticks.push((ticks.at(-1) ?? 0) + Number(attributes.d));
      }
      expect(ticks.map((time) => time / timescale)).toEqual([...presentation.segmentTimes(id)]);
    }
  }
});

test("names and languages cannot break out of the manifest", async () => {
  const { presentation } = await opened("h264-aac.mp4");
  const evil = '"/><!--&<script>]]>\u0000';
  const hostile: Presentation = Object.create(presentation, {
    tracks: { value: presentation.tracks.map((track) => ({ ...track, name: evil, language: evil })) },
  });
  const subtitle = { key: evil, language: evil, name: evil, forced: true, isDefault: true, forHearingImpaired: true };
  const manifest = parseXml(dashManifest(hostile, [subtitle]));
  const shown = evil.replace("\u0000", "");
  expect(all(manifest, "Label").map(({ text }) => text)).toEqual([shown, `${shown} (forced)`]);
  expect(all(manifest, "AdaptationSet").map(({ attributes }) => attributes.lang)).toEqual([undefined, shown, shown]);
  expect(escapeXml("a\u0001b\ud800")).toBe("ab\ufffd");
});

test("ffmpeg decodes all of it without a complaint", async () => {
  const { source, presentation } = await opened("h264-aac-heavy.mp4");
  expect(initSegment(presentation, 1).length).toBeGreaterThan(0);
  await withDashFolder(source, presentation, (manifest) =>
    run(["ffmpeg", "-v", "warning", "-i", manifest, "-map", "0", "-f", "null", "-"]),
  );
});
