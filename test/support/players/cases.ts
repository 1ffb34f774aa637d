import { featureRecipes } from "../fixture-features.ts";
import { matrixCells } from "../fixture-matrix.ts";
import type { FixtureName } from "../fixtures.ts";
import type { Protocol } from "./player.ts";

/**
 * Whether the whole matrix runs (`npm run test:long`) or a sample of its pairs: every player plays every fixture of the
 * sample and speaks every protocol it knows, and every fixture goes over every protocol to some player.
 */
export const isLong = process.env.KINORA_TEST_LONG === "1";

/** What every player plays in `npm test`: sound that starts late, a transport stream, and a file without H.264. */
const sample: readonly FixtureName[] = ["h264-late-aac.mp4", "h264-aac.ts", "vp9-opus.webm"];

/** What the most used ones play as well. */
const largerSample: readonly FixtureName[] = [...sample, "h264-aac.mp4", "h264-aac.mkv"];
const hasLargerSample = /^(hls\.js in Chromium$|ffmpeg$|GStreamer 2$)/;

/** What else they play in the long run. */
const more: readonly FixtureName[] = [
  ...(Object.keys(featureRecipes) as (keyof typeof featureRecipes)[]),
  ...([
    "h264-late-aac.mkv",
    "h264-aac-60s.mp4",
    "h264-aac-heavy.mp4",
    "h264-aac-faststart.mp4",
    "h264-only.mp4",
    "h264-negative-offsets.mp4",
    "h264-aac-rotated.mov",
    "h264-aac-trimmed.mp4",
    "h264-many-sounds.mp4",
    "h264-long-aac.mp4",
    "h264-variable.mp4",
    "h264-anamorphic.mp4",
    "h264-aac-subtitles.mp4",
    "h264-aac-fragmented.mp4",
    "vp9-opus-live.webm",
  ] as const),
  ...matrixCells().map(({ name }) => name),
];

const protocols: readonly Protocol[] = ["hls", "dash"];

/** A player that cannot play something, whoever made it, with the reason. */
interface Limit {
  readonly player: RegExp;
  readonly protocol?: Protocol;
  readonly fixtures: readonly FixtureName[];
  readonly why: string;
}

const limits: readonly Limit[] = [
  {
    player: /^Shaka/,
    protocol: "hls",
    fixtures: ["h264-long-aac.mp4"],
    why: "it takes the shortest track for the video",
  },
  {
    player: /^dash\.js in Firefox$/,
    fixtures: ["h264-long-aac.mp4"],
    why: "it tells Media Source of the end once, and not while a buffer is being updated; Firefox then waits for pictures",
  },
  {
    player: / in Chromium$/,
    fixtures: ["h264-open-gop.mp4"],
    why: "its decoder fails at pictures that are shown before the key frame a seek went to, and refer to others; in the file itself, and in ffmpeg's HLS and DASH of it, as well",
  },
  {
    player: /^ffmpeg$/,
    protocol: "dash",
    fixtures: ["late-h264-aac.mp4", "h264-long-aac.mp4"],
    why: "it ends with the first track that ends",
  },
  {
    player: /^VLC$/,
    fixtures: ["late-h264-aac.mp4"],
    why: "what it takes out ends with the first track that ends; the same with the file itself",
  },
  {
    player: /^GStreamer/,
    protocol: "hls",
    fixtures: ["h264-long-aac.mp4"],
    why: "it takes the picture's end for that of the video",
  },
  { player: /^VLC$/, fixtures: ["matrix.mov.mpeg2.aac.mov"], why: "it does not know m2v1, QuickTime's name of MPEG-2" },
];

/** hls.js plays no DASH, dash.js no HLS. */
const speaks = (player: string, protocol: Protocol) => !player.startsWith(protocol === "hls" ? "dash.js" : "hls.js");

/** In these the first fixture of the sample goes over DASH and the second over HLS; in the others the first over HLS. */
const beginsWithDash = /^(GStreamer 2|VLC|Shaka)/;

/** In `npm test` a player that knows both protocols takes them in turn, fixture by fixture. */
function isItsTurn(player: string, protocol: Protocol, name: FixtureName): boolean {
  if (isLong || !protocols.every((spoken) => speaks(player, spoken))) return true;
  const turn = largerSample.indexOf(name) + (beginsWithDash.test(player) ? 1 : 0);
  return protocols[turn % protocols.length] === protocol;
}

const isLimited = (player: string, protocol: Protocol, name: FixtureName) =>
  limits.some(
    (limit) => limit.player.test(player) && limit.fixtures.includes(name) && (limit.protocol ?? protocol) === protocol,
  );

/** The formats' own test plays the matrix in a browser. */
function fixturesFor(player: string): readonly FixtureName[] {
  if (!isLong) return hasLargerSample.test(player) ? largerSample : sample;
  const all = [...largerSample, ...more];
  return player.includes(" in ") ? all.filter((name) => !name.startsWith("matrix.")) : all;
}

/** What a player plays over which protocol. */
export function casesFor(player: string): (readonly [Protocol, FixtureName])[] {
  return protocols
    .filter((protocol) => speaks(player, protocol))
    .flatMap((protocol) => fixturesFor(player).map((name) => [protocol, name] as const))
    .filter(([protocol, name]) => isItsTurn(player, protocol, name) && !isLimited(player, protocol, name));
}

/** Complaints that decoders have about some originals as well. */
const faults: readonly { readonly fixtures: RegExp; readonly complaint: RegExp; readonly why: string }[] = [
  {
    fixtures: /open-gop/,
    complaint: /mmco: unref short failure/,
    why: "after a seek to a key frame of an open group, pictures before it that later ones unmark are not there",
  },
];

/** What decoders complain about because of a fixture itself. */
export const explainedBy = (name: FixtureName): RegExp[] =>
  faults.filter(({ fixtures }) => fixtures.test(name)).map(({ complaint }) => complaint);
