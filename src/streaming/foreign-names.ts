import { isUtf8 } from "node:buffer";
import { readdir } from "node:fs/promises";
import { extname } from "node:path";

/** What stands in a name for bytes that are not UTF-8; a name may hold it by itself, too. */
const REPLACEMENT = "\uFFFD";

/** Whether this may be a name, or a path with a name, whose bytes are lost. */
export const isDoubtful = (name: string): boolean => name.includes(REPLACEMENT);

/** A name of which the system's own bytes were looked at. */
export interface RawName {
  /** As the system's events and lists give it: several names may be given alike. */
  readonly told: string;
  /** The name for people, with `\xNN` for each byte that is not UTF-8. */
  readonly shown: string;
  /** Whether it is UTF-8: then it can be opened as it is told. */
  readonly isSound: boolean;
}

/** The doubtful names in a folder. Throws what the system says. */
export async function doubtfulNames(folder: string): Promise<RawName[]> {
  const names = await readdir(folder, { encoding: "buffer" });
  return names
    .map((raw) => ({ raw, told: raw.toString() }))
    .filter(({ told }) => isDoubtful(told))
    .map(({ raw, told }) => ({ told, shown: escaped(raw), isSound: isUtf8(raw) }));
}

function escaped(raw: Buffer): string {
  let shown = "";
  for (let at = 0; at < raw.length; ) {
    const from = at;
    const length = [1, 2, 3, 4].find((n) => from + n <= raw.length && isUtf8(raw.subarray(from, from + n)));
    shown += length ? raw.toString("utf8", at, at + length) : `\\x${(raw[at] ?? 0).toString(16).padStart(2, "0")}`;
    at += length ?? 1;
  }
  return shown;
}

/** What films are called, those that Kinora does not read included: whoever names a file so wants to know why it is not there. */
const FILMS = new Set(
  [
    [
      "mp4",
      "m4v",
      "mov",
      "qt",
      "mkv",
      "mk3d",
      "webm",
      "ts",
      "m2ts",
      "mts",
      "m2t",
      "avi",
      "divx",
      "wmv",
      "asf",
      "flv",
      "f4v",
    ],
    [
      "mpg",
      "mpeg",
      "mpe",
      "m1v",
      "m2v",
      "mpv",
      "vob",
      "evo",
      "ogv",
      "ogm",
      "rm",
      "rmvb",
      "3gp",
      "3g2",
      "mxf",
      "dv",
      "iso",
    ],
    ["hevc", "h264", "h265", "264", "265", "av1", "ivf", "wtv", "y4m", "amv", "trp", "tp"],
  ].flat(),
);

/** Whether a file says by its extension that it is a video. */
export const claimsToBeVideo = (path: string): boolean => FILMS.has(extname(path).slice(1).toLowerCase());
