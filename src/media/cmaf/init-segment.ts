import { requireTrack, type TrackInfo } from "../movie.ts";
import { box, cString, fourCc, fullBox, type Part, u16, u32, u64, zeros } from "../mp4/box-writer.ts";
import { shownSize } from "../mp4/pixel-aspect.ts";
import type { Presentation } from "../presentation.ts";

const identityMatrix = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];
const brands = ["iso6", "cmfc", "dash", "mp41"];
/** `track_enabled | track_in_movie`. */
const trackFlags = 3;

/** The CMAF header (`ftyp`, `moov`) of a track; a `RangeError` when there is no such track. ISO/IEC 23000-19 section 7.3. */
export function initSegment(presentation: Presentation, trackId: number): Uint8Array {
  const track = requireTrack(presentation, trackId);
  const fileType = box("ftyp", fourCc("iso6"), u32(0), ...brands.map(fourCc));
  const duration = Math.round((presentation.segmentTimes(trackId).at(-1) ?? 0) * track.timescale);
  const movieBox = box(
    "moov",
    movieHeader(track),
    box("trak", trackHeader(track), ...editList(track), mediaBox(track)),
    box("mvex", fullBox("mehd", 1, 0, u64(duration)), trackExtends(track)),
  );
  const bytes = new Uint8Array(fileType.length + movieBox.length);
  bytes.set(fileType);
  bytes.set(movieBox, fileType.length);
  return bytes;
}

const movieHeader = (track: TrackInfo) =>
  fullBox(
    "mvhd",
    0,
    0,
    u32(0), // creation_time
    u32(0), // modification_time
    u32(track.timescale),
    u32(0), // duration: in the fragments
    u32(0x10000), // rate 1.0
    u16(0x100), // volume 1.0
    zeros(10),
    identityMatrix.flatMap(u32),
    zeros(24),
    u32(track.id + 1), // next_track_ID
  );

function trackHeader(track: TrackInfo): Uint8Array {
  const { width, height } = track.kind === "video" ? shownSize(track) : { width: 0, height: 0 };
  return fullBox(
    "tkhd",
    0,
    trackFlags,
    u32(0), // creation_time
    u32(0), // modification_time
    u32(track.id),
    zeros(4),
    u32(0), // duration
    zeros(8),
    u16(0), // layer
    u16(0), // alternate_group
    u16(track.kind === "audio" ? 0x100 : 0), // volume
    zeros(2),
    (track.kind === "video" ? track.matrix : identityMatrix).flatMap(u32),
    u32(width * 0x10000),
    u32(height * 0x10000),
  );
}

/** One edit that lasts "to the end" (duration 0), so that priming and reordering are hidden in every track alike. */
const editList = (track: TrackInfo): Part[] =>
  track.mediaTime === 0
    ? []
    : [box("edts", fullBox("elst", 1, 0, u32(1), u64(0), u64(track.mediaTime), u16(1), u16(0)))];

const mediaBox = (track: TrackInfo) =>
  box(
    "mdia",
    fullBox("mdhd", 0, 0, u32(0), u32(0), u32(track.timescale), u32(0), u16(packedLanguage(track.language)), u16(0)),
    fullBox(
      "hdlr",
      0,
      0,
      u32(0),
      fourCc(track.kind === "video" ? "vide" : "soun"),
      zeros(12),
      cString(track.kind === "video" ? "VideoHandler" : "SoundHandler"),
    ),
    ...(track.language === null ? [] : [fullBox("elng", 0, 0, cString(track.language))]),
    box(
      "minf",
      track.kind === "video" ? fullBox("vmhd", 0, 1, zeros(8)) : fullBox("smhd", 0, 0, zeros(4)),
      box("dinf", fullBox("dref", 0, 0, u32(1), fullBox("url ", 0, 1))),
      sampleTableBox(track),
    ),
  );

/** `stbl` of a track whose samples are all in fragments. */
const sampleTableBox = (track: TrackInfo) =>
  box(
    "stbl",
    fullBox("stsd", 0, 0, u32(track.sampleEntries.length), ...track.sampleEntries),
    fullBox("stts", 0, 0, u32(0)),
    fullBox("stsc", 0, 0, u32(0)),
    fullBox("stsz", 0, 0, u32(0), u32(0)),
    fullBox("stco", 0, 0, u32(0)),
  );

const trackExtends = (track: TrackInfo) => fullBox("trex", 0, 0, u32(track.id), u32(1), u32(0), u32(0), u32(0));

/** Three letters of five bits; `und` for tags of another length, which `elng` carries. */
function packedLanguage(language: string | null): number {
  const letters = language !== null && /^[a-z]{3}$/.test(language) ? language : "und";
  return [...letters].reduce((packed, letter) => packed * 32 + letter.charCodeAt(0) - 0x60, 0);
}
