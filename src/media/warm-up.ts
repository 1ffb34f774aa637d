import type { ByteSource } from "./byte-source.ts";
import { indexSegments } from "./cmaf/segment-index.ts";
import { hlsMediaPlaylist, hlsMultivariantPlaylist } from "./hls/hls-playlist.ts";
import type { Track } from "./movie.ts";
import { MoviePresentation } from "./movie-presentation.ts";
import { Box } from "./mp4/box.ts";
import { fullBox, u32 } from "./mp4/box-writer.ts";
import { FileLimits } from "./mp4/file-limits.ts";
import { readSampleTable } from "./mp4/sample-tables.ts";

/** Enough that every loop is compiled, little enough to take some ten milliseconds. */
const samples = 20_000;
const timescale = 1000;
const ticksOfSample = 40;
const samplesOfGroup = 100;
const sampleBytes = 500;
/** Of the made-up film: nothing is read of it. */
const fileSize = 2 ** 33;
const nothing: ByteSource = { size: fileSize, read: async () => new Uint8Array(0) };

/**
 * Makes the index of a film that does not exist, its playlists and a segment, with turns for others: what comes first is
 * done by code that has not been compiled yet, and that is better done before somebody waits for it.
 */
export async function warmUp(): Promise<void> {
  const limits = new FileLimits(fileSize);
  const tracks = [await videoOf(limits), await soundOf(limits)];
  const description = {
    durationSeconds: 800,
    container: "mp4",
    video: null,
    audio: [],
    needsRendition: null,
  } as const;
  const worked = (steps: number) => limits.worked(steps);
  const movie = await indexSegments({ description, timescale, tracks, texts: [], leftOut: [] }, worked);
  const presentation = new MoviePresentation(movie);
  hlsMultivariantPlaylist(presentation);
  for (const { id } of tracks) {
    hlsMediaPlaylist(presentation, id);
    await presentation.plan(nothing, id, 2);
  }
}

const same = {
  timescale,
  codecString: "",
  sampleEntries: [],
  language: null,
  name: null,
  mediaTime: 0,
  delay: 0,
} as const;
const all = { editsIgnored: false, firstSample: 0, endSample: samples } as const;

async function videoOf(limits: FileLimits): Promise<Track> {
  const table = await readSampleTable(
    tableOf((i) => sampleBytes + (i % 300) * 250),
    limits,
    [1],
  );
  const shown = { width: 16, height: 16, frameRate: 25, rotation: 0, matrix: [] } as const;
  return { ...same, ...all, ...shown, kind: "video", id: 1, codec: "h264", samples: table };
}

async function soundOf(limits: FileLimits): Promise<Track> {
  const table = await readSampleTable(
    tableOf((i) => sampleBytes + (i % 7)),
    limits,
    [1],
  );
  return {
    ...same,
    ...all,
    kind: "audio",
    id: 2,
    codec: "aac",
    samples: table,
    channels: 2,
    sampleRate: 48_000,
    isDefault: true,
  };
}

/** `stbl` of samples that are spread in chunks of one and two. */
function tableOf(sizeOf: (sample: number) => number): Box {
  const chunks = Math.ceil((samples * 2) / 3);
  const groups = samples / samplesOfGroup;
  const content = [
    tableBox("stts", groups, 2, (i, word) => (word === 0 ? samplesOfGroup : ticksOfSample + (i % 2))),
    tableBox("ctts", samples, 2, (i, word) => (word === 0 ? 1 : ticksOfSample * (i % 3))),
    tableBox("stss", groups, 1, (i) => 1 + i * samplesOfGroup),
    tableBox("stsc", chunks, 3, (i, word) => (word === 0 ? 1 + i : word === 1 ? 1 + (i % 2) : 1)),
    tableBox("stsz", samples, 1, sizeOf),
    tableBox("co64", chunks, 2, (i, word) => (word === 0 ? i >> 15 : i * 160_000)),
  ];
  return new Box("stbl", Buffer.concat(content), 0);
}

function tableBox(type: string, count: number, width: number, wordOf: (entry: number, word: number) => number) {
  const words = new Uint32Array(count * width);
  for (let i = 0; i < words.length; i++) words[i] = wordOf(Math.floor(i / width), i % width);
  const before = type === "stsz" ? [...u32(0), ...u32(count)] : u32(count);
  return fullBox(type, 0, 0, before, Buffer.from(words.buffer).swap32());
}
