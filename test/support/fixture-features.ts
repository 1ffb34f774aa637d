const picture = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=9"];
const tone = (rate = 48000) => ["-f", "lavfi", "-i", `sine=frequency=440:sample_rate=${rate}:duration=9`];
const h264 = (...params: string[]) => [
  ...["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-x264-params", params.join(":")],
];
const aac = ["-c:a", "aac", "-b:a", "96k"];

const tenBits = (transfer: string) => [
  ...["-c:v", "libx265", "-preset", "ultrafast", "-g", "50", "-pix_fmt", "yuv420p10le"],
  ...["-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc"],
  ...["-x265-params", `log-level=error:colorprim=bt2020:transfer=${transfer}:colormatrix=bt2020nc`],
];

/** What files do beside having a container and codecs: 9 s each. */
export const featureRecipes = {
  /** Pictures in the order in which they are shown, so no composition offsets and no edit list of the picture. */
  "h264-no-b-frames.mp4": [...picture, ...tone(), ...h264("bframes=0", "keyint=50"), ...aac],
  /** A single key frame. */
  "h264-long-gop.mp4": [...picture, ...tone(), ...h264("keyint=1000", "scenecut=0"), ...aac],
  /** Key frames that later pictures look back over (recovery points, no IDR). */
  "h264-open-gop.mp4": [
    ...picture,
    ...tone(),
    ...h264("open-gop=1", "bframes=3", "b-adapt=0", "keyint=25", "scenecut=0"),
    ...aac,
  ],
  /** Sound whose packets never end where pictures do. */
  "h264-aac-44100.mp4": [...picture, ...tone(44100), ...h264("keyint=50"), ...aac],
  /** Chunks of 3 s, first all pictures of it, then its sound. */
  "h264-poor-interleaving.mp4": [...["-i", "fixture:h264-aac-44100.mp4", "-c", "copy", "-chunk_duration", "3000000"]],
  /** Pixels that are wider than high: 320x240 is shown as 427x240. */
  "h264-anamorphic.mkv": ["-i", "fixture:h264-anamorphic.mp4", "-c", "copy"],
  "h264-anamorphic.ts": ["-i", "fixture:h264-anamorphic.mp4", "-c", "copy"],
  /** HDR10: PQ, BT.2020. */
  "h265-hdr10.mp4": [...picture, ...tenBits("smpte2084"), "-tag:v", "hvc1"],
  "h265-hdr10.mkv": ["-i", "fixture:h265-hdr10.mp4", "-c", "copy"],
  "h265-hdr10.ts": ["-i", "fixture:h265-hdr10.mp4", "-c", "copy"],
  "h265-hlg.mp4": [...picture, ...tenBits("arib-std-b67"), "-tag:v", "hvc1"],
  /** A profile that browsers do not decode. */
  "h264-ten-bits.mp4": [...picture, ...tone(), ...h264("keyint=50"), "-pix_fmt", "yuv420p10le", ...aac],
  /** The picture starts half a second after the sound: an empty edit of the picture. */
  "late-h264-aac.mp4": [
    ...["-itsoffset", "0.5", ...picture, ...tone()],
    ...["-map", "0", "-map", "1", "-vsync", "passthrough", ...h264("keyint=50"), ...aac],
  ],
} as const satisfies Record<string, readonly string[]>;
