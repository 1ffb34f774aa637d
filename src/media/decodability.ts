/** Families that Chromium, Firefox and Safari decode (AV1 and VP9 on all but old Apple devices). */
const decodedVideo = new Set(["h264", "vp8", "vp9", "av1"]);
export const decodedAudio: ReadonlySet<string> = new Set(["aac", "mp3", "opus", "flac", "vorbis"]);

/** `profile_idc` of H.264 that no common browser shows everywhere, with what they are. */
const specialAvcProfiles: Readonly<Record<string, string>> = {
  "6e": "10-bit H.264",
  "7a": "4:2:2 H.264",
  f4: "4:4:4 H.264",
  "2c": "4:4:4 intra H.264",
};

const videoReasons: Readonly<Record<string, string>> = {
  h265: "H.265 is decoded by Safari and by some devices only",
  h266: "no browser decodes H.266",
  mpeg4: "no browser decodes MPEG-4 part 2 (DivX, Xvid)",
  mpeg1: "no browser decodes MPEG-1",
  mpeg2: "only Safari decodes MPEG-2",
  prores: "no browser but Safari decodes ProRes",
};

const audioReasons: Readonly<Record<string, string>> = {
  ac3: "Dolby Digital (AC-3) is decoded by Safari and Edge only",
  eac3: "Dolby Digital Plus (E-AC-3) is decoded by Safari and Edge only",
  dts: "no browser decodes DTS",
  "aac-latm": "AAC in LATM cannot be taken out of it",
  mp2: "no browser decodes MPEG audio of layer II",
  pcm: "uncompressed sound cannot be streamed",
  alac: "only Safari decodes Apple Lossless",
};

/**
 * Why no common browser plays it as it is, or null when they do. Sound counts when there is some and none of it is
 * decoded.
 */
export function renditionNeed(
  video: { readonly codec: string; readonly codecString: string },
  audioCodecs: readonly string[],
): { codec: string; reason: string } | null {
  const { codec, codecString } = video;
  if (!decodedVideo.has(codec)) return { codec, reason: videoReasons[codec] ?? `no browser decodes ${codec}` };
  const special = codec === "h264" ? specialAvcProfiles[codecString.slice(5, 7).toLowerCase()] : undefined;
  if (special !== undefined) return { codec, reason: `${special} is not decoded by most browsers` };
  const first = audioCodecs[0];
  if (first === undefined || audioCodecs.some((audio) => decodedAudio.has(audio))) return null;
  return { codec: first, reason: audioReasons[first] ?? `no browser decodes ${first}` };
}
