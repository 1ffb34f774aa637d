import { run } from "../packets.ts";
import type { OriginalFacts } from "./player.ts";

interface Probed {
  readonly streams: readonly { readonly codec_type: string; readonly codec_name: string }[];
  readonly packets: readonly { readonly codec_type: string; readonly pts_time?: string; readonly flags: string }[];
  readonly format: { readonly duration?: string };
}

const families: Readonly<Record<string, string>> = { hevc: "h265" };

/** Reads with ffprobe what a player should find. */
export async function factsOf(path: string): Promise<OriginalFacts> {
  const probed = await probe(path, []);
  // Pictures that an edit list hides are sent all the same: those shown need them.
  const all = /\.(mp4|mov|m4v)$/.test(path) ? await probe(path, ["-ignore_editlist", "1"]) : probed;
  const times = (kind: string, { packets } = probed) =>
    packets
      .filter(({ codec_type, pts_time }) => codec_type === kind && pts_time !== undefined)
      .map(({ pts_time }) => Number(pts_time))
      .sort((a, b) => a - b);
  const [pictures, sound] = [times("video"), times("audio")];
  const isCut = probed.packets.some(({ codec_type, flags }) => codec_type === "video" && flags.includes("D"));
  const shown = isCut ? times("video", all) : [];
  const after = (sound[0] ?? Number.NaN) - (pictures[0] ?? Number.NaN);
  return {
    codecs: probed.streams
      .filter(({ codec_type }) => codec_type === "video" || codec_type === "audio")
      .map(({ codec_name }) => families[codec_name] ?? codec_name),
    picturesEndSeconds: span(pictures),
    durationSeconds: isCut
      ? span(shown)
      : Number(probed.format.duration ?? span([...pictures, ...sound].sort((a, b) => a - b))),
    pictures: all.packets.filter(({ codec_type }) => codec_type === "video").length,
    longestStepSeconds: Math.max(0, ...pictures.slice(1).map((time, i) => time - (pictures[i] ?? 0))),
    soundAfterPictureSeconds: isCut || Number.isNaN(after) ? null : after,
  };
}

/** From the first to the last of times in order. */
const span = (times: readonly number[]) => (times.at(-1) ?? 0) - (times[0] ?? 0);

async function probe(path: string, options: readonly string[]): Promise<Probed> {
  const wanted = ["-show_entries", "packet=codec_type,pts_time,flags:stream=codec_type,codec_name:format=duration"];
  return JSON.parse(await run(["ffprobe", "-v", "error", ...options, ...wanted, "-of", "json", path])) as Probed;
}
