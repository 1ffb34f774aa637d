import { RtspError } from "./errors.ts";

/** Where to play from and to, in seconds; null where the client does not say. */
export interface PlayRange {
  /** Null: from where it is. */
  readonly from: number | null;
  /** Null: to the end. */
  readonly to: number | null;
}

/** Numbers of this many digits and no more are times of videos. */
const SECONDS = /^\d{1,9}(?:\.\d{0,9})?$/;
const CLOCK = /^(\d{1,6}):(\d{1,2}):(\d{1,2}(?:\.\d{0,9})?)$/;

/**
 * `Range` of PLAY (RFC 2326 sections 3.6 and 12.29): `npt=10-`, `npt=10-20`, `npt=-20`, `npt=now-`, `npt=0:01:10.5-`.
 * 457 for the other clocks (`smpte`, `clock`) and for what is no range. When it is to happen (`;time=`) is overlooked.
 */
export function parseRange(value: string | null): PlayRange {
  if (value === null) return { from: null, to: null };
  const [range = ""] = value.split(";");
  const match = /^\s*npt\s*=\s*([^\s-]*)\s*-\s*([^\s-]*)\s*$/i.exec(range);
  if (!match || (match[1] === "" && match[2] === "")) throw new RtspError(457, "a range that is none of npt");
  const from = match[1] === "" ? 0 : parseTime(match[1] ?? "");
  const to = match[2] === "" ? null : parseTime(match[2] ?? "");
  if (match[2] !== "" && to === null) throw new RtspError(457, "a range that ends now");
  if (from !== null && to !== null && to <= from) throw new RtspError(457, "a range that ends before it begins");
  return { from, to };
}

/** Seconds; null for `now`. */
function parseTime(text: string): number | null {
  if (text.toLowerCase() === "now") return null;
  if (SECONDS.test(text)) return Number(text);
  const [, hours = "", minutes = "", seconds = ""] = CLOCK.exec(text) ?? [];
  if (hours === "" || Number(minutes) > 59 || Number(seconds) >= 60) throw new RtspError(457, "a time that is none");
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

/** `npt=10.000-60.000`; an open end where it is not known. */
export function formatRange(from: number, to: number | null): string {
  return `npt=${from.toFixed(3)}-${to === null ? "" : to.toFixed(3)}`;
}
