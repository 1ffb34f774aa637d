import type { ByteSource } from "./byte-source.ts";
import { MediaError } from "./errors.ts";
import type { MediaDescription, Movie } from "./movie.ts";

/**
 * Reads what the original is, and its index where it can be packaged (`movie` is null for containers that are only
 * described). Throws a `MediaError`: `not-a-video`, `truncated`, `empty`, `unsupported`.
 */
export async function openMedia(source: ByteSource): Promise<{ description: MediaDescription; movie: Movie | null }> {
  if (source.size === 0) throw new MediaError("empty", "The file is empty");
  throw new MediaError("unsupported", "Not read yet");
}
