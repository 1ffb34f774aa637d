/** What files of other kinds begin with: bytes at an offset, and what such a file is. */
const signatures: readonly (readonly [name: string, offset: number, bytes: string])[] = [
  ["AVI", 8, "AVI "],
  ["WAV", 8, "WAVE"],
  ["WebP", 8, "WEBP"],
  ["Flash video (FLV)", 0, "FLV\x01"],
  ["Windows Media (ASF)", 0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11"],
  ["Ogg", 0, "OggS"],
  ["MPEG program stream", 0, "\x00\x00\x01\xba"],
  ["MPEG elementary stream", 0, "\x00\x00\x01\xb3"],
  ["H.264 or H.265 elementary stream", 0, "\x00\x00\x00\x01"],
  ["MXF", 0, "\x06\x0e\x2b\x34\x02\x05\x01\x01"],
  ["DV", 0, "\x1f\x07\x00"],
  ["RealMedia", 0, ".RMF"],
  ["IVF", 0, "DKIF"],
  ["NUT", 0, "nut/multimedia"],
  ["MP3", 0, "ID3"],
  ["FLAC", 0, "fLaC"],
  ["AIFF", 8, "AIFF"],
  ["GIF", 0, "GIF8"],
  ["JPEG", 0, "\xff\xd8\xff"],
  ["PNG", 0, "\x89PNG"],
  ["PDF", 0, "%PDF-"],
  ["ZIP", 0, "PK\x03\x04"],
  ["HLS playlist", 0, "#EXTM3U"],
  ["WebVTT", 0, "WEBVTT"],
];

/** MPEG audio without a header of its own begins with eleven ones. */
const isMpegAudio = (head: Uint8Array) => head[0] === 0xff && ((head[1] ?? 0) & 0xe6) === 0xe2;

/** What a file is that is none of the containers read here, by its first bytes; null when that is not known. */
export function foreignContainer(head: Uint8Array): string | null {
  const text = String.fromCharCode(...head.subarray(0, 32));
  const found = signatures.find(([, offset, bytes]) => text.startsWith(bytes, offset));
  return found?.[0] ?? (isMpegAudio(head) ? "MP3" : null);
}
