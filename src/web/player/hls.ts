import Hls, { type ErrorData } from "hls.js";
import type { AttachOptions } from "./attach.ts";
import { describeStreamTrouble, type StreamTrouble } from "./player-errors.ts";

interface HlsOptions extends AttachOptions {
  /** Where nothing else would play at all: a picture whose sound the browser does not decode is played alone. */
  readonly pictureAlone: boolean;
  /** Told once when there is no HLS for this title, or this browser cannot take it. */
  onUnavailable(): void;
}

/** How often a broken decoder or a bad stretch is tried to be got over before giving up. */
const RECOVERIES = 2;

/** Plays HLS through Media Source Extensions. The result ends it. */
export function attachHls(video: HTMLVideoElement, url: string, options: HlsOptions): () => void {
  if (!Hls.isSupported()) {
    options.onUnavailable();
    return () => {};
  }
  const hls = new Hls({
    // Segments are fragmented MP4 already: nothing worth a worker, and the policy forbids blob workers.
    enableWorker: false,
    startPosition: options.startAtSeconds ?? -1,
    maxBufferLength: 30,
    maxMaxBufferLength: 60,
    backBufferLength: 30,
  });
  let end = () => hls.destroy();
  let started = false;
  let recoveries = 0;
  let pictureUrl: string | undefined;
  hls.on(Hls.Events.MANIFEST_LOADED, (_, { levels }) => {
    pictureUrl = levels[0]?.url;
  });
  hls.on(Hls.Events.FRAG_BUFFERED, () => {
    if (started) return;
    started = true;
    options.onDelivery("hls");
  });
  hls.on(Hls.Events.ERROR, (_, data) => {
    if (!data.fatal && !(started && isRefused(data))) return;
    if (started && recoveries++ < RECOVERIES && recover(hls, data)) return;
    hls.destroy();
    if (started) options.onFatal(describeStreamTrouble(reasonOf(data), options.grant !== ""));
    else if (options.pictureAlone && pictureUrl !== undefined && isOfCodecs(data)) {
      end = attachHls(video, pictureUrl, { ...options, pictureAlone: false });
    } else options.onUnavailable();
  });
  hls.attachMedia(video);
  hls.loadSource(url);
  return () => end();
}

const codecErrors = new Set<string>([
  Hls.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR,
  Hls.ErrorDetails.BUFFER_ADD_CODEC_ERROR,
  Hls.ErrorDetails.BUFFER_INCOMPATIBLE_CODECS_ERROR,
]);
const isOfCodecs = ({ details }: ErrorData) => codecErrors.has(details);

/** The bytes themselves are refused: asking again, as is done for a quarter of a minute, changes nothing. */
const isRefused = ({ details, frag, response }: ErrorData) =>
  details === Hls.ErrorDetails.FRAG_LOAD_ERROR &&
  frag?.type !== "subtitle" &&
  [401, 403, 404, 410].includes(response?.code ?? 0);

function recover(hls: Hls, data: ErrorData): boolean {
  if (data.response?.code && data.response.code < 500) return false;
  if (data.type === Hls.ErrorTypes.NETWORK_ERROR) hls.startLoad();
  else if (data.type === Hls.ErrorTypes.MEDIA_ERROR) hls.recoverMediaError();
  else return false;
  return true;
}

/** Why it stopped, as far as a person can do something about it. */
function reasonOf({ response, type }: ErrorData): StreamTrouble {
  if (response?.code) return { status: response.code };
  return type === Hls.ErrorTypes.NETWORK_ERROR ? "connection" : "browser";
}
