import type { ByteSource } from "./byte-source.ts";
import { headBytes, sniffContainer } from "./container.ts";
import { describeTransportStream } from "./describe-transport-stream.ts";
import { MediaError } from "./errors.ts";
import { describeMatroska } from "./matroska/describe-matroska.ts";
import type { MediaDescription, Movie } from "./movie.ts";
import { openMp4 } from "./mp4/open-mp4.ts";

/**
 * Reads what the original is, and its index where it can be packaged (`movie` is null for containers that are only
 * described). Throws a `MediaError`: `not-a-video`, `truncated`, `empty`, `unsupported`.
 */
export async function openMedia(source: ByteSource): Promise<{ description: MediaDescription; movie: Movie | null }> {
  if (source.size === 0) throw new MediaError("empty", "The file is empty", { expected: "a video", got: "0 bytes" });
  const container = sniffContainer(await source.read(0, Math.min(headBytes, source.size)));
  if (container === "mp4") return openMp4(source);
  if (container === null) {
    throw new MediaError("not-a-video", "The file is no video that is known here", {
      offset: 0,
      expected: "MP4, MOV, Matroska, WebM or MPEG-TS",
      got: "other bytes",
    });
  }
  const describe = container === "mpegts" ? describeTransportStream : describeMatroska;
  return { description: await describe(source), movie: null };
}
