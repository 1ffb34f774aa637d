import type { ByteSource } from "./byte-source.ts";
import { headBytes, sniffContainer } from "./container.ts";
import { MediaError } from "./errors.ts";
import { foreignContainer } from "./foreign-container.ts";
import { openMatroska } from "./matroska/open-matroska.ts";
import { MoviePresentation } from "./movie-presentation.ts";
import { openMp4 } from "./mp4/open-mp4.ts";
import { openMpegTs } from "./mpegts/open-mpegts.ts";
import type { OpenedMedia } from "./presentation.ts";

/**
 * Reads what the original is, and its index where it can be packaged. Throws a `MediaError`: `not-a-video`, `sound-only`,
 * `truncated`, `empty`, `unsupported`.
 */
export async function openMedia(source: ByteSource): Promise<OpenedMedia> {
  if (source.size === 0) throw new MediaError("empty", "The file is empty", { expected: "a video", got: "0 bytes" });
  const head = await source.read(0, Math.min(headBytes, source.size));
  const container = sniffContainer(head);
  if (container === "mp4" || container === "mpegts") {
    const { description, movie } = await (container === "mp4" ? openMp4 : openMpegTs)(source);
    return { description, presentation: movie && new MoviePresentation(movie) };
  }
  if (container === null) {
    throw new MediaError("not-a-video", "The file is no video that is known here", {
      offset: 0,
      expected: "MP4, MOV, Matroska, WebM or MPEG-TS",
      got: foreignContainer(head) ?? "other bytes",
    });
  }
  return openMatroska(source);
}
