import type { Input, InputAudioTrack, InputVideoTrack } from "mediabunny";
import type { ByteSource } from "./byte-source.ts";
import { renditionNeed } from "./decodability.ts";
import { MediaError } from "./errors.ts";
import type { AudioDescription, MediaDescription, VideoDescription } from "./movie.ts";
import { languageTag } from "./mp4/track-box.ts";

/** Bytes and reads that describing a file may cost; a file without an index is never read whole for it. */
const maxBytesRead = 64 * 2 ** 20;
const maxReads = 20_000;
const maxTracks = 256;
/** Pictures that tell the frame rate. */
const frameRatePackets = 128;

const families: Readonly<Record<string, string>> = { avc: "h264", hevc: "h265" };

/** Loaded with the first file that needs it: a start does not wait for it. */
async function loadReader() {
  const reader = await import("mediabunny");
  // It writes what it finds odd in a file to the console; what matters here is thrown.
  reader.Logging.level = reader.LogLevel.Silent;
  return reader;
}

class ReadBudgetError extends Error {}

/** Describes an MPEG transport stream. Throws a `MediaError` like `openMedia`. */
export async function describeTransportStream(source: ByteSource): Promise<MediaDescription> {
  const input = await openInput(source);
  try {
    return await describe(input);
  } catch (error) {
    if (error instanceof MediaError) throw error;
    if (error instanceof ReadBudgetError) throw new MediaError("unsupported", error.message, { box: "PMT" });
    throw new MediaError("not-a-video", "The video is damaged: its headers cannot be read", {
      box: "PMT",
      cause: error,
    });
  } finally {
    input.dispose();
  }
}

async function openInput(source: ByteSource): Promise<Input> {
  const { CustomSource, Input, MPEG_TS } = await loadReader();
  let bytesRead = 0;
  let reads = 0;
  return new Input({
    formats: [MPEG_TS],
    source: new CustomSource({
      getSize: () => source.size,
      read(start, end) {
        bytesRead += end - start;
        if (++reads > maxReads || bytesRead > maxBytesRead)
          throw new ReadBudgetError("The headers take too long to find");
        return source.read(start, end - start);
      },
      prefetchProfile: "fileSystem",
      // Reads ahead of need that fail: whoever needs the bytes fails too.
      handleUnhandledError: () => undefined,
    }),
  });
}

async function describe(input: Input): Promise<MediaDescription> {
  const tracks = (await input.getTracks()).slice(0, maxTracks);
  const video = tracks.find((track) => track.isVideoTrack());
  const audio = tracks.filter((track) => track.isAudioTrack());
  if (video === undefined) {
    throw new MediaError("not-a-video", audio.length > 0 ? "The file has sound only" : "The file has no video track", {
      box: "PMT",
      expected: "a video track",
      got: tracks.map((track) => track.type).join(" ") || "none",
    });
  }
  const described = await describeVideo(video);
  const sounds = await Promise.all(audio.map(describeAudio));
  const codecString = (await orNull(video.getCodecParameterString())) ?? "";
  return {
    durationSeconds: await durationOf(input),
    container: "mpegts",
    video: described,
    audio: sounds,
    needsRendition: renditionNeed(
      { codec: described.codec, codecString },
      sounds.map(({ codec }) => codec),
    ),
  };
}

/** From the headers, else from the first and the last packet: the clock of a transport stream starts anywhere. */
async function durationOf(input: Input): Promise<number> {
  const fromHeader = await orNull(input.getDurationFromMetadata());
  const seconds = fromHeader ?? ((await orNull(input.computeDuration())) ?? 0) - (await firstTimestamp(input));
  return Number.isFinite(seconds) && seconds > 0 ? seconds : 0;
}

async function firstTimestamp(input: Input): Promise<number> {
  const starts = await Promise.all((await input.getTracks()).map((track) => orNull(track.getFirstTimestamp())));
  return Math.max(0, Math.min(...starts.map((start) => start ?? Number.POSITIVE_INFINITY)));
}

/** What a part of the file that is not vital says; null when it cannot be read. */
async function orNull<T>(value: Promise<T>): Promise<T | null> {
  try {
    return await value;
  } catch {
    return null;
  }
}

async function describeVideo(track: InputVideoTrack): Promise<VideoDescription> {
  const metrics = await orNull(track.computeFrameRateMetrics({ targetPacketCount: frameRatePackets }));
  const frameRate = metrics?.bestGuessFrameRate ?? 0;
  return {
    codec: await codecOf(track),
    width: Math.max(0, (await orNull(track.getCodedWidth())) ?? 0),
    height: Math.max(0, (await orNull(track.getCodedHeight())) ?? 0),
    frameRate: Number.isFinite(frameRate) ? Math.round(frameRate * 1000) / 1000 : 0,
    rotation: (await orNull(track.getRotation())) ?? 0,
  };
}

async function describeAudio(track: InputAudioTrack): Promise<AudioDescription> {
  return {
    codec: await codecOf(track),
    channels: (await orNull(track.getNumberOfChannels())) ?? 0,
    sampleRate: Math.round((await orNull(track.getSampleRate())) ?? 0),
    language: languageTag((await orNull(track.getLanguageCode())) ?? "und"),
  };
}

async function codecOf(track: InputVideoTrack | InputAudioTrack): Promise<string> {
  const codec = await orNull<string | null>(track.getCodec());
  return codec === null ? "unknown" : (families[codec] ?? codec.replace(/^pcm-.*/, "pcm"));
}
