/**
 * Part of every packaged answer's ETag and of the index file: raise it whenever the same original would give other
 * bytes (playlist, init segment, segment, cuts) or another index than before.
 */
export const PACKAGER_VERSION: number = 11;
