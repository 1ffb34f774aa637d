import type { Title } from "../../catalog/contract.ts";
import type { StreamProtocol } from "../../streaming/contract.ts";
import type { Api } from "../api.ts";
import type { ClientContext } from "../context.ts";
import { ClientError, EXIT, usageError } from "../errors.ts";
import { findTitle } from "../find-title.ts";
import { ControlledStream } from "../play/controlled-stream.ts";
import { findPlayer, type Player, type PlaySource } from "../play/players.ts";
import { freePorts, sdpFile, untilListening } from "../play/rtp-reception.ts";
import { untilSignal } from "../signals.ts";
import { printable } from "../terminal/printable.ts";

/** A player that does not end when it is asked to is ended. */
const CLOSE_MS = 3_000;
/** How much later than the server a player may reach the end. */
const DRAIN_MS = 2_000;
/** The reason of a stream that was played to its end. */
const ENDED = "ended";

export interface PlayOptions {
  readonly protocol?: StreamProtocol;
  readonly rtp?: boolean;
  readonly player?: string;
  readonly urlOnly?: boolean;
}

/** What came of playing. */
export interface Played {
  readonly streamId: string;
  readonly protocol: StreamProtocol;
  readonly player: string | null;
  /** The player's exit code; null when it was ended by a signal. */
  readonly playerExit: number | null;
  /** Why the server ended the stream; null when it did not. */
  readonly stopped: string | null;
}

/** `kinora play TITLE`: starts a player, keeps the stream alive while it plays, stops the stream when it closes. */
export async function play(context: ClientContext, wanted: string, options: PlayOptions): Promise<void> {
  const protocol = protocolOf(options);
  if (options.urlOnly && protocol === "rtp") throw usageError("--url-only does not go with RTP: it has no address.");
  const player = options.urlOnly ? null : findPlayer(options.player, context.path);
  const api = await context.connect();
  const title = await findTitle(context, api, wanted);
  const signals = untilSignal();
  try {
    const played = player
      ? await playWith(context, api, { title, protocol, player, signal: signals.signal })
      : await holdUrl(context, api, { title, protocol, signal: signals.signal });
    if (signals.exit !== null) throw new ClientError("interrupted", "Stopped.", { exit: signals.exit });
    conclude(context, title, played);
  } finally {
    signals.release();
  }
}

function protocolOf({ protocol, rtp }: PlayOptions): StreamProtocol {
  if (rtp && protocol !== undefined && protocol !== "rtp") throw usageError("--rtp and --protocol do not go together.");
  return rtp ? "rtp" : (protocol ?? "hls");
}

interface Wish {
  readonly title: Title;
  readonly protocol: StreamProtocol;
  readonly player: Player;
  /** Aborted: the player is closed and the stream stopped. */
  readonly signal: AbortSignal;
}

/** Plays a title to its end or until `signal`. */
export async function playWith(context: ClientContext, api: Api, wish: Wish): Promise<Played> {
  return wish.protocol === "rtp" ? playRtp(context, api, wish) : playUrl(context, api, wish);
}

async function playUrl(context: ClientContext, api: Api, { title, protocol, player, signal }: Wish): Promise<Played> {
  const stream = await ControlledStream.start(api, { titleId: title.id, protocol });
  try {
    const { otherHost } = stream;
    if (otherHost !== null) context.out.note(`The server leads the player to ${otherHost}, not to ${api.origin}.`);
    const running = launch(context, player, { kind: "url", address: stream.url, title: title.name }, signal);
    return await attend(stream, running, player);
  } finally {
    await stream.stop();
  }
}

/**
 * Packets come as soon as a stream begins, and a player needs the description before it can listen. So the description is
 * taken from a stream that is ended at once, and the stream itself begins when the player listens.
 */
async function playRtp(context: ClientContext, api: Api, { title, player, signal }: Wish): Promise<Played> {
  const request = { titleId: title.id, protocol: "rtp", clientPort: await freePorts() } as const;
  const described = await ControlledStream.start(api, request);
  await described.stop();
  const file = sdpFile(described.sdp ?? "");
  try {
    const running = launch(context, player, { kind: "sdp", address: file.path, title: title.name }, signal);
    await Promise.race([untilListening(request.clientPort, running.closed), running.exited]);
    const stream = await ControlledStream.start(api, request).catch((error: unknown) => {
      running.close();
      throw error;
    });
    return await attend(stream, running, player).finally(() => stream.stop());
  } finally {
    file.remove();
  }
}

/** Prints the address and keeps it playable until `signal`. */
async function holdUrl(
  context: ClientContext,
  api: Api,
  { title, protocol, signal }: Omit<Wish, "player">,
): Promise<Played> {
  const { out } = context;
  const stream = await ControlledStream.start(api, { titleId: title.id, protocol });
  try {
    const { id: streamId, url } = stream;
    out.result({ titleId: title.id, streamId, protocol, url }, () => out.line(url));
    if (!out.json) out.note("It plays until you press Ctrl+C here.");
    const stopped = await stream.keep(signal);
    return { streamId, protocol, player: null, playerExit: null, stopped };
  } finally {
    await stream.stop();
  }
}

interface Running {
  readonly exited: Promise<number | null>;
  /** Aborted when the player has been told to close. */
  readonly closed: AbortSignal;
  close(): void;
}

/** Starts the player, without a shell. It is closed when `signal` is aborted. */
function launch(context: ClientContext, player: Player, source: PlaySource, signal: AbortSignal): Running {
  const { out } = context;
  // Its keys work at a terminal; what it prints is not ours to promise.
  const stdin = context.isInteractive ? "inherit" : "ignore";
  const child = Bun.spawn([player.program, ...player.args(source)], {
    stdio: [stdin, "ignore", out.json ? "ignore" : "inherit"],
  });
  if (!out.json) out.note(`Playing ${printable(source.title)} with ${printable(player.name)}. Ctrl+C stops.`);
  const closing = new AbortController();
  const close = () => {
    if (closing.signal.aborted) return;
    closing.abort();
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), CLOSE_MS).unref();
  };
  signal.addEventListener("abort", close);
  if (signal.aborted) close();
  const exited = child.exited.then((code) => {
    signal.removeEventListener("abort", close);
    return child.signalCode === null ? code : null;
  });
  return { exited, closed: closing.signal, close };
}

/** Keeps the stream alive until the player has ended, or ends the player when the stream is over. */
async function attend(stream: ControlledStream, running: Running, player: Player): Promise<Played> {
  const ended = new AbortController();
  const kept = stream.keep(ended.signal).then(
    async (reason) => {
      // Of RTP a player does not learn that it was all; what has come is played yet.
      if (reason === ENDED) await Promise.race([Bun.sleep(DRAIN_MS), running.exited]);
      if (reason !== null) running.close();
      return reason;
    },
    (error: unknown) => {
      running.close();
      throw error;
    },
  );
  const [playerExit, stopped] = await Promise.all([running.exited.finally(() => ended.abort()), kept]);
  return { streamId: stream.id, protocol: stream.protocol, player: player.name, playerExit, stopped };
}

const reasons: Readonly<Record<string, string>> = {
  stopped: "It was stopped from elsewhere.",
  expired: "It was not renewed in time: the server could not be reached.",
  revoked: "The sign-in has ended.",
  "title-unavailable": "The video was deleted or hidden.",
  "time-limit": "It has run as long as it may. Start it again to go on.",
  unreachable: "The RTP packets do not arrive here.",
  failed: "The video could not be read on.",
  shutdown: "The server stops.",
};

function conclude({ out }: ClientContext, title: Title, played: Played): void {
  const { stopped, playerExit, player } = played;
  if (stopped !== null && stopped !== ENDED)
    throw new ClientError("stream-stopped", reasons[stopped] ?? `The server ended the stream (${stopped}).`, {
      data: { reason: stopped },
    });
  if (playerExit !== 0 && stopped === null)
    throw new ClientError("player-failed", `${player} ended with code ${playerExit ?? "of a signal"}.`, {
      exit: EXIT.failure,
      hint: "--player names another player, --protocol rtsp another way.",
    });
  out.result({ titleId: title.id, name: title.name, ...played }, () => undefined);
}
