import type { AudioSyntax } from "./audio-frames.ts";
import { AudioStream } from "./audio-stream.ts";
import { aacOrDolby, adts, dolby, mpegAudio, opus } from "./audio-syntaxes.ts";
import { ElementaryStream } from "./elementary-stream.ts";
import { H264Syntax } from "./h264.ts";
import { H265Syntax } from "./h265.ts";
import { ProgramClock } from "./program-clock.ts";
import type { MappedStream, ProgramMap } from "./program-tables.ts";
import { guessed, kindOf, type StreamKind } from "./stream-kinds.ts";
import { VideoStream } from "./video-stream.ts";

const maxAudioTracks = 64;
const opusChannels = 0x80;
const hdmv = "HDMV";

/** A stream of the program's map that is sound or video. */
export interface KnownStream extends StreamKind {
  readonly pid: number;
  readonly language: string | null;
  readonly mapped: MappedStream;
}

/** The sound and video streams of a program, in the order of its map. */
export function knownStreams(map: ProgramMap): KnownStream[] {
  return map.streams.flatMap((mapped) => {
    const kind = kindOf(mapped, map.registration === hdmv);
    return kind === null ? [] : [{ ...kind, pid: mapped.pid, language: mapped.language, mapped }];
  });
}

/** The picture of the program: H.264 or H.265 if there is any, else the first of any kind. */
export function pictureOf(streams: readonly KnownStream[]): KnownStream | null {
  const videos = streams.filter(({ kind }) => kind === "video");
  return videos.find(({ codec }) => isPackaged(codec)) ?? videos[0] ?? null;
}

export const isPackaged = (codec: string) => codec === "h264" || codec === "h265";

/** A track of sound; `audio` is null for codecs that MP4 cannot carry. */
export interface AudioTrackStreams {
  readonly codec: string;
  readonly language: string | null;
  readonly audio: AudioStream | null;
  pid: number;
}

/** The streams of one program while the file is read. Maps that change on the way move tracks to other packets. */
export class ProgramStreams {
  readonly clock = new ProgramClock();
  readonly video: VideoStream | null;
  readonly audio: AudioTrackStreams[] = [];
  readonly #videoCodec: string;
  /** By packet identifier. */
  readonly #byPid: (ElementaryStream | undefined)[] = new Array(8192);

  /** `codec`: of the picture; it is only read when it is H.264 or H.265. */
  constructor(codec: string) {
    this.#videoCodec = codec;
    const syntax = codec === "h264" ? new H264Syntax() : codec === "h265" ? new H265Syntax() : null;
    this.video = syntax && new VideoStream(new ElementaryStream(`mpegts/${codec}`, this.clock), syntax);
  }

  streamOf(pid: number): ElementaryStream | undefined {
    return this.#byPid[pid];
  }

  /** All streams that are read. */
  get streams(): ElementaryStream[] {
    const audio = this.audio.flatMap((track) => (track.audio === null ? [] : [track.audio.stream]));
    return this.video === null ? audio : [this.video.stream, ...audio];
  }

  /** Follows the program's map, which is new or has changed. */
  apply(map: ProgramMap): void {
    const streams = knownStreams(map);
    this.#byPid.fill(undefined);
    const sameCodec = streams.filter(({ kind, codec }) => kind === "video" && codec === this.#videoCodec);
    const picture = sameCodec.find(({ pid }) => pid === this.video?.stream.pid) ?? sameCodec[0];
    if (picture !== undefined && this.video !== null) this.#bind(this.video.stream, picture.pid);
    this.#applyAudio(streams.filter(({ kind }) => kind === "audio"));
  }

  #applyAudio(streams: readonly KnownStream[]): void {
    const free = new Set(this.audio);
    const waiting: KnownStream[] = [];
    for (const stream of streams) {
      const track = [...free].find(({ pid, codec }) => pid === stream.pid && codec === stream.codec);
      if (track === undefined) waiting.push(stream);
      else this.#bindAudio(track, stream, free);
    }
    for (const stream of waiting) {
      const track = [...free].find(({ codec, language }) => codec === stream.codec && language === stream.language);
      if (track !== undefined) this.#bindAudio(track, stream, free);
      else if (this.audio.length < maxAudioTracks) this.#bindAudio(this.#addAudio(stream), stream, free);
    }
  }

  #addAudio(stream: KnownStream): AudioTrackStreams {
    const { codec, language } = stream;
    const syntax = syntaxOf(stream);
    const audio = syntax && new AudioStream(new ElementaryStream(`mpegts/${codec}`, this.clock), syntax);
    const track = { codec, language, audio, pid: -1 };
    this.audio.push(track);
    return track;
  }

  #bindAudio(track: AudioTrackStreams, { pid }: KnownStream, free: Set<AudioTrackStreams>): void {
    free.delete(track);
    track.pid = pid;
    if (track.audio !== null) this.#bind(track.audio.stream, pid);
  }

  #bind(stream: ElementaryStream, pid: number): void {
    if (stream.pid !== pid) stream.moveTo(pid);
    this.#byPid[pid] = stream;
  }
}

/** How a codec's frames are read; null for those that are not. */
function syntaxOf({ codec, mapped, isEncrypted }: KnownStream): AudioSyntax | null {
  if (isEncrypted === true) return null;
  if (codec === "aac") return adts;
  if (codec === "mp3") return mpegAudio;
  if (codec === "ac3" || codec === "eac3") return dolby;
  if (codec === guessed) return aacOrDolby;
  if (codec === "opus") return opus(mapped.extensions.get(opusChannels) ?? 0);
  return null;
}
