import type { Title } from "../../catalog/contract.ts";

/** RFC 6381 strings that stand for a codec family: an ordinary profile, so that "no" means the codec itself. */
const mimeTypes: Readonly<Record<string, string>> = {
  h264: 'video/mp4; codecs="avc1.640028"',
  h265: 'video/mp4; codecs="hvc1.1.6.L93.B0"',
  vp8: 'video/webm; codecs="vp8"',
  vp9: 'video/mp4; codecs="vp09.00.10.08"',
  av1: 'video/mp4; codecs="av01.0.05M.08"',
  aac: 'audio/mp4; codecs="mp4a.40.2"',
  opus: 'audio/mp4; codecs="opus"',
  flac: 'audio/mp4; codecs="flac"',
  mp3: "audio/mpeg",
  vorbis: 'audio/ogg; codecs="vorbis"',
  pcm: 'audio/wav; codecs="1"',
  ac3: 'audio/mp4; codecs="ac-3"',
  eac3: 'audio/mp4; codecs="ec-3"',
};

/** What of a title a browser cannot decode: codec families; null where it can, or where nobody knows. */
export interface Undecodable {
  readonly video: string | null;
  /** Set only when no audio track can be decoded. */
  readonly audio: string | null;
}

/** Compares a title's codecs with what the browser says it decodes. */
export function findUndecodable(
  title: Pick<Title, "video" | "audio" | "needsRendition">,
  canPlay: (mimeType: string) => boolean,
): Undecodable {
  const cannot = (codec: string) => {
    const mimeType = mimeTypes[codec];
    // Of what has no name to ask by, the server knows whether browsers decode it.
    return mimeType === undefined ? title.needsRendition?.codec === codec : !canPlay(mimeType);
  };
  const video = title.video && cannot(title.video.codec) ? title.video.codec : null;
  const [firstAudio] = title.audio;
  const audio = firstAudio && title.audio.every(({ codec }) => cannot(codec)) ? firstAudio.codec : null;
  return { video, audio };
}

/** Asks this browser. */
export function canPlayType(mimeType: string): boolean {
  return document.createElement("video").canPlayType(mimeType) !== "";
}
