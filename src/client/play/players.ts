import { basename, delimiter, isAbsolute } from "node:path";
import { ClientError } from "../errors.ts";
import { printable } from "../terminal/printable.ts";

/** What a player is to open: a URL with a grant in it, or the path of a session description. */
export interface PlaySource {
  readonly kind: "url" | "sdp";
  readonly address: string;
  readonly title: string;
}

export interface Player {
  readonly name: string;
  readonly program: string;
  readonly args: (source: PlaySource) => string[];
}

const sdpProtocols = "file,udp,rtp";

/**
 * Arguments by player. Each is quiet, as they would print the URL, and ends with the video. Names of titles come after `=`
 * or as a value of their own, so that none is taken for an option.
 */
const argsByName: Readonly<Record<string, (source: PlaySource, title: string) => string[]>> = {
  mpv: ({ kind, address }, title) => [
    "--really-quiet",
    "--no-ytdl",
    `--force-media-title=${title}`,
    ...(kind === "sdp" ? [`--demuxer-lavf-o=protocol_whitelist=[${sdpProtocols}]`] : ["--rtsp-transport=tcp"]),
    "--",
    address,
  ],
  vlc: ({ address }, title) => [
    "--quiet",
    "--play-and-exit",
    `--meta-title=${title}`,
    address,
    // An option of the video: as one of the program VLC refuses it where its RTSP module is missing.
    ...(address.startsWith("rtsp") ? [":rtsp-tcp"] : []),
  ],
  ffplay: ({ kind, address }, title) => [
    ...["-hide_banner", "-loglevel", "error", "-autoexit", "-window_title", title],
    ...(kind === "sdp" ? ["-protocol_whitelist", sdpProtocols] : []),
    ...(address.startsWith("rtsp:") ? ["-rtsp_transport", "tcp"] : []),
    ...["-i", address],
  ],
};

/** In this order they are looked for. */
const KNOWN = ["mpv", "vlc", "ffplay"] as const;

/** The player named (of `KNOWN`, or any program), else the first that is installed. `no-player` when there is none. */
export function findPlayer(wanted: string | undefined, path: string): Player {
  const names = wanted === undefined ? KNOWN : [wanted];
  for (const name of names) {
    const program = Bun.which(name, { PATH: path });
    if (program !== null) return playerOf(name, program);
  }
  if (wanted !== undefined)
    throw new ClientError("no-player", `There is no program ${wanted}.`, {
      hint: `Looked for in ${path.split(delimiter).join(" ")}`,
    });
  throw new ClientError("no-player", "No player was found.", {
    hint: "Install mpv, VLC or ffplay (of ffmpeg), name another with --player, or let --url-only print the address.",
  });
}

function playerOf(name: string, program: string): Player {
  const kind = basename(name).replace(/\.exe$/i, "");
  const args = argsByName[kind === "cvlc" ? "vlc" : kind];
  return {
    name: isAbsolute(name) ? kind : name,
    program,
    args: (source) => args?.(source, printable(source.title)) ?? [source.address],
  };
}
