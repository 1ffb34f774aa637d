import type { ByteSource } from "./byte-source.ts";
import { MediaError } from "./errors.ts";
import type { MediaDescription, Movie } from "./movie.ts";
import { openMp4 } from "./mp4/open-mp4.ts";
import { looksLikeMp4 } from "./mp4/top-level.ts";

/** Enough to tell every container: three packets of a transport stream. */
const headBytes = 600;

/**
 * Reads what the original is, and its index where it can be packaged (`movie` is null for containers that are only
 * described). Throws a `MediaError`: `not-a-video`, `truncated`, `empty`, `unsupported`.
 */
export async function openMedia(source: ByteSource): Promise<{ description: MediaDescription; movie: Movie | null }> {
  if (source.size === 0) throw new MediaError("empty", "The file is empty", { expected: "a video", got: "0 bytes" });
  const head = await source.read(0, Math.min(headBytes, source.size));
  if (looksLikeMp4(head)) return openMp4(source);
  throw new MediaError("not-a-video", "The file is no video that is known here");
}
