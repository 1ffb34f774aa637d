/** Files that are no videos, or none that are read: recipes as for the other fixtures. */
const picture = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=1"];
const tone = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100:duration=1"];

export const refusedRecipes = {
  "refused-mpeg4-mp3.avi": [...picture, ...tone, "-c:v", "mpeg4", "-c:a", "libmp3lame"],
  "refused-h264-aac.flv": [...picture, ...tone, "-c:v", "libx264", "-c:a", "aac"],
  "refused-wmv2-wmav2.wmv": [...picture, ...tone, "-c:v", "wmv2", "-c:a", "wmav2"],
  "refused-theora-vorbis.ogv": [...picture, ...tone, "-c:v", "libtheora", "-c:a", "libvorbis"],
  "refused-mpeg2-mp2.mpg": [...picture, ...tone, "-c:v", "mpeg2video", "-c:a", "mp2"],
  "refused-aac.m4a": [...tone, "-c:a", "aac"],
  "refused-opus.mka": [...tone, "-c:a", "libopus"],
  "refused-mpeg2-pcm.mxf": [...picture, ...tone, "-c:v", "mpeg2video", "-c:a", "pcm_s16le", "-ar", "48000"],
  "refused-pcm.wav": [...tone],
  "refused-picture.gif": [...picture],
  "refused-encrypted.mp4": [
    ...[...picture, ...tone, "-c:v", "libx264", "-c:a", "aac", "-encryption_scheme", "cenc-aes-ctr"],
    ...["-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb", "-encryption_kid", "a7e61c373e219033c21091fa607bf3b8"],
  ],
  "refused-subtitles.mkv": ["-i", "text:english.srt", "-c:s", "srt"],
  "refused-mp3.mp3": [...tone, "-c:a", "libmp3lame"],
  "refused-picture.jpg": [...picture, "-frames:v", "1"],
} as const satisfies Record<string, readonly string[]>;

/** The same, with how the page of formats calls them. */
export const refusedNames = {
  "refused-mpeg4-mp3.avi": "AVI",
  "refused-h264-aac.flv": "Flash video (FLV)",
  "refused-wmv2-wmav2.wmv": "Windows Media (ASF)",
  "refused-theora-vorbis.ogv": "Ogg",
  "refused-mpeg2-mp2.mpg": "MPEG program stream",
  "refused-aac.m4a": "MP4 without a picture",
  "refused-opus.mka": "Matroska without a picture",
  "refused-mpeg2-pcm.mxf": "MXF",
  "refused-pcm.wav": "WAV",
  "refused-picture.gif": "GIF",
  "refused-encrypted.mp4": "MP4, encrypted",
  "refused-subtitles.mkv": "Matroska without anything but subtitles",
  "refused-mp3.mp3": "MP3",
  "refused-picture.jpg": "JPEG",
} as const satisfies Record<keyof typeof refusedRecipes, string>;
