import { ratesOf } from "../cmaf/rates.ts";
import { keptFor } from "../kept.ts";
import { type AudioTrackInfo, type TrackInfo, type VideoTrackInfo, videoTrack } from "../movie.ts";
import { pixelAspect } from "../mp4/pixel-aspect.ts";
import type { Presentation } from "../presentation.ts";
import type { SubtitleInfo } from "../text/subtitle-info.ts";
import { audioCodecs, subtitleNames, uniqueNames } from "../track-names.ts";
import { element, escapeXml } from "./xml.ts";

/** The segments are those of HLS, under the same URLs, so that caches hold them once. */
const segmentBase = "../hls/";
const subtitleBase = "../subtitles/";
/** What a player has in hand before it starts. */
const minBufferSeconds = 2;
/** Text has no rate that matters; the attribute must be there. */
const textBandwidth = 1000;

/** ChannelConfiguration of ISO/IEC 23091-3 by the number of channels, in their usual places. */
const channelConfigurations: Readonly<Record<number, number>> = { 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 11, 8: 12 };

/**
 * The static manifest (ISO/IEC 23009-1, profile isoff-live) of everything that HLS has. Edit lists are in the init
 * segments, empty ones in `tfdt`, so media times are presentation times and every `presentationTimeOffset` is 0.
 * Every reference carries `query`, such as `?a=b`: a `BaseURL` cannot, as players resolve references without its query.
 */
export function dashManifest(presentation: Presentation, subtitles: readonly SubtitleInfo[] = [], query = ""): string {
  const video = videoTrack(presentation);
  if (video === null) throw new RangeError("A movie without video has no manifest.");
  const seconds = Math.max(...presentation.tracks.map(({ id }) => presentation.segmentTimes(id).at(-1) ?? 0));
  const period = element(
    "Period",
    { id: "1", start: "PT0S" },
    videoSet(presentation, video, query),
    ...audioSets(presentation, query),
    ...subtitleSets(subtitles, query),
  );
  const attributes = {
    xmlns: "urn:mpeg:dash:schema:mpd:2011",
    profiles: "urn:mpeg:dash:profile:isoff-live:2011",
    type: "static",
    mediaPresentationDuration: duration(seconds),
    minBufferTime: duration(minBufferSeconds),
  };
  const manifest = element("MPD", attributes, element("BaseURL", {}, escapeXml(segmentBase)), period);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${manifest}\n`;
}

/** An `xs:duration`. */
const duration = (seconds: number) => `PT${Number(seconds.toFixed(6))}S`;

function videoSet(presentation: Presentation, video: VideoTrackInfo, query: string): string {
  const turned = video.rotation % 180 !== 0;
  const aspect = pixelAspect(video.sampleEntries[0]);
  const [width, height] = turned ? [video.height, video.width] : [video.width, video.height];
  const [wide, high] = turned ? [aspect.high, aspect.wide] : [aspect.wide, aspect.high];
  return element(
    "AdaptationSet",
    {
      ...setAttributes(presentation, video),
      par: width > 0 && height > 0 ? ratio(width * wide, height * high) : null,
    },
    role("main"),
    segmentTemplate(presentation, video, query),
    element("Representation", {
      ...representationAttributes(presentation, video),
      width,
      height,
      sar: ratio(wide, high),
      frameRate: frameRate(video.frameRate),
    }),
  );
}

/** A set for each track of sound, the one that HLS starts with first: no two of them are versions of the same. */
function audioSets(presentation: Presentation, query: string): string[] {
  const tracks = presentation.tracks.filter((track) => track.kind === "audio");
  const names = uniqueNames(tracks, "Audio");
  const ordered = audioCodecs(tracks).flatMap((codec) => tracks.filter((track) => track.codec === codec));
  return ordered.map((track, i) => {
    const attributes = {
      ...setAttributes(presentation, track),
      lang: track.language,
      // Between sets with nothing else to tell them apart players take the highest.
      selectionPriority: ordered.length - i,
    };
    return element(
      "AdaptationSet",
      attributes,
      ...channels(track),
      label(names[tracks.indexOf(track)] ?? ""),
      role(i === 0 ? "main" : "alternate"),
      segmentTemplate(presentation, track, query),
      element("Representation", {
        ...representationAttributes(presentation, track),
        audioSamplingRate: track.sampleRate > 0 ? track.sampleRate : null,
      }),
    );
  });
}

/** Subtitles as one WebVTT file each. */
function subtitleSets(subtitles: readonly SubtitleInfo[], query: string): string[] {
  const names = subtitleNames(subtitles);
  return subtitles.map((subtitle, i) =>
    element(
      "AdaptationSet",
      { contentType: "text", mimeType: "text/vtt", lang: subtitle.language },
      label(names[i] ?? ""),
      ...(subtitle.forHearingImpaired ? [role("caption")] : []),
      role(subtitle.forced ? "forced-subtitle" : "subtitle"),
      ...(subtitle.isDefault ? [role("main")] : []),
      element(
        "Representation",
        { id: `text-${subtitle.key}`, bandwidth: textBandwidth },
        element("BaseURL", {}, escapeXml(`${subtitleBase}${subtitle.key}.vtt${query}`)),
      ),
    ),
  );
}

const setAttributes = (presentation: Presentation, track: TrackInfo) => ({
  id: track.id,
  contentType: track.kind,
  mimeType: `${track.kind}/mp4`,
  segmentAlignment: "true",
  // Types 1 to 3: pictures that are shown before the key frame may need what comes before it.
  startWithSAP: presentation.startsAtKeyFrames(track.id) ? (track.kind === "video" ? 3 : 1) : null,
});

const representationAttributes = (presentation: Presentation, track: TrackInfo) => ({
  id: track.id,
  codecs: track.codecString === "" ? null : track.codecString,
  bandwidth: ratesOf(presentation, track).peak,
});

const role = (value: string) => element("Role", { schemeIdUri: "urn:mpeg:dash:role:2011", value });
const label = (text: string) => element("Label", {}, escapeXml(text));

function channels({ channels: count }: AudioTrackInfo): string[] {
  const value = channelConfigurations[count];
  const schemeIdUri = "urn:mpeg:mpegB:cicp:ChannelConfiguration";
  return value === undefined ? [] : [element("AudioChannelConfiguration", { schemeIdUri, value })];
}

function segmentTemplate(presentation: Presentation, { id, timescale }: TrackInfo, query: string): string {
  return element(
    "SegmentTemplate",
    {
      timescale,
      startNumber: 1,
      initialization: `$RepresentationID$/init.mp4${query}`,
      media: `$RepresentationID$/$Number$.m4s${query}`,
    },
    keptFor(presentation, `dash-timeline ${id}`, () => segmentTimeline(presentation.segmentTimes(id), timescale)),
  );
}

/** The `SegmentTimeline`: an `S` for each run of segments of the same length. */
function segmentTimeline(times: Float64Array, timescale: number): string {
  const ticks = times.map((seconds) => Math.round(seconds * timescale));
  const runs: { d: number; r: number }[] = [];
  for (let i = 0; i + 1 < ticks.length; i++) {
    const d = (ticks[i + 1] ?? 0) - (ticks[i] ?? 0);
    const last = runs.at(-1);
    if (last?.d === d) last.r++;
    else runs.push({ d, r: 0 });
  }
  const parts = runs.map(({ d, r }, i) =>
    element("S", { t: i === 0 ? (ticks[0] ?? 0) : null, d, r: r === 0 ? null : r }),
  );
  return element("SegmentTimeline", {}, parts.join(""));
}

/** As a whole number or a fraction; null where it is not known. */
function frameRate(rate: number): string | null {
  if (rate <= 0) return null;
  const ntsc = Math.round((rate * 1001) / 1000);
  if (Math.abs(rate - Math.round(rate)) < 0.001) return String(Math.round(rate));
  if (Math.abs(rate - (ntsc * 1000) / 1001) < 0.001) return `${ntsc * 1000}/1001`;
  return ratio(Math.round(rate * 1000), 1000).replace(":", "/");
}

function ratio(a: number, b: number): string {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return `${a / x}:${b / x}`;
}
