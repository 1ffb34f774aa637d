import type { ByteSource } from "../media/byte-source.ts";
import { MediaError } from "../media/errors.ts";
import { openMedia } from "../media/open.ts";
import type { MediaInfo } from "./contract.ts";
import { EmptyError } from "./errors.ts";
import type { MovieCache } from "./movie-cache.ts";
import { problemOf } from "./reading.ts";

/**
 * Finds out what a file is and keeps its index in `movies`. Throws `EmptyError`, `TruncatedError`, `SoundOnlyError`, or `NotAVideoError` for
 * everything else that cannot be watched.
 */
export async function inspect(
  sourceId: string,
  file: ByteSource & { readonly mtimeMs: number },
  movies: MovieCache | null,
): Promise<MediaInfo> {
  if (file.size === 0) throw new EmptyError();
  try {
    const { description, presentation } = await openMedia(file);
    if (presentation) await movies?.put(sourceId, file, presentation);
    const { video, audio, ...rest } = description;
    return { ...rest, video, audio: [...audio], sizeBytes: file.size };
  } catch (error) {
    throw error instanceof MediaError ? problemOf(error) : error;
  }
}
