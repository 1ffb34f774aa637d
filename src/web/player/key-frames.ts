/** The key frames of a video, as its I-frame playlist names them. */
export interface KeyFrames {
  /** When each is shown, in seconds, ascending. */
  readonly times: Float64Array;
  /** Where each lies, as the playlist has it. */
  readonly uris: readonly string[];
  /** Bytes from the start of what is there up to the end of the picture; 0 where that is all. */
  readonly sizes: Float64Array;
  readonly initUri: string;
}

/** The address of the I-frame playlist that a multivariant playlist leads to (RFC 8216 section 4.3.4.3); null where it has none. */
export function keyFrameList(playlist: string): string | null {
  return /^#EXT-X-I-FRAME-STREAM-INF:(?:.*,)?URI="([^"]+)"/m.exec(playlist)?.[1] ?? null;
}

/** Reads an I-frame playlist (RFC 8216 section 4.3.3.6); null where it names no key frame. */
export function parseKeyFrames(playlist: string): KeyFrames | null {
  const times: number[] = [];
  const uris: string[] = [];
  const sizes: number[] = [];
  let initUri = "";
  let time = 0;
  let duration = 0;
  let size = 0;
  for (const line of playlist.split(/\r?\n/)) {
    const value = line.slice(line.indexOf(":") + 1);
    if (line.startsWith("#EXTINF:")) duration = Number.parseFloat(value);
    else if (line.startsWith("#EXT-X-BYTERANGE:")) size = bytesFromStart(value);
    else if (line.startsWith("#EXT-X-MAP:")) initUri = /URI="([^"]*)"/.exec(value)?.[1] ?? "";
    else if (line !== "" && !line.startsWith("#")) {
      if (!Number.isFinite(duration) || Number.isNaN(size)) return null;
      times.push(time);
      uris.push(line);
      sizes.push(size);
      time += duration;
      size = 0;
    }
  }
  if (uris.length === 0 || initUri === "") return null;
  return { times: Float64Array.from(times), uris, sizes: Float64Array.from(sizes), initUri };
}

/** The key frame nearest to a time in seconds, by its place in the list; -1 in an empty one. */
export function nearest(times: Float64Array, seconds: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) < seconds) low = middle + 1;
    else high = middle;
  }
  const [before, after] = [times[low - 1], times[low]];
  if (after === undefined) return times.length - 1;
  return before === undefined || after - seconds < seconds - before ? low : low - 1;
}

/** Bytes that `{length}@0` names; NaN for a range that starts elsewhere. */
function bytesFromStart(range: string): number {
  const [, length] = /^(\d+)@0$/.exec(range) ?? [];
  return length === undefined ? Number.NaN : Number(length);
}
