import { MediaError } from "../media/errors.ts";
import { openMedia } from "../media/open.ts";
import type { MediaInfo } from "./contract.ts";
import { EmptyError, NotAVideoError, TruncatedError } from "./errors.ts";
import type { FileBytes } from "./file-bytes.ts";
import type { MovieCache } from "./movie-cache.ts";

/**
 * Finds out what a file is and keeps its index. Throws `EmptyError`, `TruncatedError`, or `NotAVideoError` for
 * everything else that cannot be watched.
 */
export async function inspect(sourceId: string, file: FileBytes, movies: MovieCache): Promise<MediaInfo> {
  if (file.size === 0) throw new EmptyError();
  try {
    const { description, presentation } = await openMedia(file);
    if (presentation) await movies.put(sourceId, file, presentation);
    const { video, audio, ...rest } = description;
    return { ...rest, video, audio: [...audio], sizeBytes: file.size };
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    if (error.code === "empty") throw new EmptyError();
    if (error.code === "truncated") throw new TruncatedError(error.message, error);
    throw new NotAVideoError(error.message, error);
  }
}
