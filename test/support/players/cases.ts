import type { FixtureName } from "../fixtures.ts";
import type { Protocol } from "./player.ts";

/** Whether the whole matrix runs (`npm run test:long`) or a sample. */
export const isLong = process.env.KINORA_TEST_LONG === "1";

/** What every player plays in `npm test`. */
const sample: readonly FixtureName[] = ["h264-aac.mp4", "h264-late-aac.mp4", "vp9-opus.mp4"];

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
    fixtures: ["h264-late-aac.mp4"],
    why: "it takes the start of a playlist for the time of its first segment, whatever the segment says",
  },
  {
    player: /Firefox$/,
    fixtures: ["h264-late-aac.mp4"],
    why: "it waits where there is no sound yet, and hls.js, dash.js and Shaka jump to where there is",
  },
];

/** hls.js plays no DASH, dash.js no HLS. */
const speaks = (player: string, protocol: Protocol) => !player.startsWith(protocol === "hls" ? "dash.js" : "hls.js");

const isLimited = (player: string, protocol: Protocol, name: FixtureName) =>
  limits.some(
    (limit) => limit.player.test(player) && limit.fixtures.includes(name) && (limit.protocol ?? protocol) === protocol,
  );

/** What a player plays over which protocol. */
export function casesFor(player: string): (readonly [Protocol, FixtureName])[] {
  return protocols
    .filter((protocol) => speaks(player, protocol))
    .flatMap((protocol) => sample.map((name) => [protocol, name] as const))
    .filter(([protocol, name]) => !isLimited(player, protocol, name));
}
