import { initSegment } from "../../src/media/cmaf/init-segment.ts";
import { dashManifest } from "../../src/media/dash/dash-manifest.ts";
import { faststartPlan } from "../../src/media/faststart.ts";
import { hlsKeyFramePlaylist } from "../../src/media/hls/hls-key-frames.ts";
import { withQuery } from "../../src/media/hls/hls-lines.ts";
import { hlsMediaPlaylist, hlsMultivariantPlaylist } from "../../src/media/hls/hls-playlist.ts";
import { hlsSubtitlePlaylist, hlsSubtitleSpan } from "../../src/media/hls/hls-subtitles.ts";
import { decodeIndex, encodeIndex, StaleIndexError } from "../../src/media/index-file.ts";
import { readMetadata } from "../../src/media/metadata/read-metadata.ts";
import { MoviePresentation } from "../../src/media/movie-presentation.ts";
import { openMedia } from "../../src/media/open.ts";
import type { Presentation } from "../../src/media/presentation.ts";
import { cuesBetween } from "../../src/media/text/cue.ts";
import { readSubtitleFile } from "../../src/media/text/subtitle-file.ts";
import { withKeys } from "../../src/media/text/subtitle-info.ts";
import { writeWebVtt } from "../../src/media/text/webvtt.ts";
import {
  bounded,
  CheckedSource,
  checkBoxes,
  checkNumbers,
  checkPlan,
  checkPlaylist,
  checkWebVtt,
  checkXml,
  expectThat,
  orMediaError,
} from "./checks.ts";
import { exerciseRtp } from "./exercise-rtp.ts";

/** Beyond these only the last segment is made: they all go the same way. */
const maxSegments = 500;

/** Does with a file all that serving it does, and checks every answer. */
export async function exerciseFile(bytes: Uint8Array): Promise<void> {
  const source = new CheckedSource(bytes);
  await orMediaError(async () => {
    const { description, presentation } = await bounded("open", source, () => openMedia(source));
    checkNumbers("description", description);
    if (presentation !== null) await exercisePresentation(presentation, source);
  });
  await orMediaError(async () => {
    const plan = await bounded("faststart", source, () => faststartPlan(source));
    if (plan !== null) await checkPlan(plan, source);
  });
  const metadata = await bounded("metadata", source, () => readMetadata(source));
  checkNumbers("metadata", metadata);
  const { title, artist, date, genre, description, chapters } = metadata;
  for (const text of [title, artist, date, genre, description, ...chapters.map(({ name }) => name)]) {
    expectThat(text === null || isPlainText(text), `metadata with ${JSON.stringify(text)}`);
  }
}

const maxTextLength = 4000;

/** Fit for a title: well-formed, bounded, no control characters but ends of lines. */
const isPlainText = (text: string) =>
  text.isWellFormed() && text.length <= maxTextLength && !/(?!\n)\p{Cc}/u.test(text);

async function exercisePresentation(presentation: Presentation, source: CheckedSource): Promise<void> {
  const { size } = source;
  const subtitles = withKeys(presentation.texts);
  checkXml(await bounded("manifest", source, () => dashManifest(presentation, subtitles)), size);
  const playlists = await bounded("playlists", source, () => playlistsOf(presentation));
  for (const text of playlists) checkQuery(text, checkPlaylist(text, size));
  const index = await bounded("index", source, () => encodeIndex(presentation));
  const again = await bounded("stored index", source, () => playlistsOf(decodeIndex(index)));
  expectThat(again.join("") === playlists.join(""), "the stored index gives other playlists");
  for (const { id } of presentation.tracks) {
    checkBoxes(await bounded("init segment", source, () => initSegment(presentation, id)));
    await exerciseSegments(presentation, id, checkPlaylist(hlsMediaPlaylist(presentation, id), size), source);
  }
  for (const { id } of presentation.texts) await exerciseCues(presentation, id, source);
  await exerciseRtp(presentation, source);
}

/** What a playlist refers to carries a grant where it is watched by one, and is the same otherwise. */
function checkQuery(playlist: string, segments: number): void {
  expectThat(withQuery(playlist, "") === playlist, "a playlist changes without a query");
  const lines = withQuery(playlist, "?grant=x").split("\n");
  const references = lines.filter((line) => line !== "" && !line.startsWith("#"));
  expectThat(references.length >= segments, "references are lost");
  for (const line of references) expectThat(line.endsWith("?grant=x"), `${line} has no query`);
  for (const line of lines) expectThat(!/URI="[^"?]*"/.test(line), `${line} has no query`);
}

function playlistsOf(presentation: Presentation): string[] {
  const ids = presentation.tracks.map(({ id }) => id);
  return [
    hlsMultivariantPlaylist(presentation, withKeys(presentation.texts)),
    hlsSubtitlePlaylist(presentation),
    ...ids.map((id) => hlsMediaPlaylist(presentation, id)),
    ...ids.map((id) => hlsKeyFramePlaylist(presentation, id)).filter((text) => text !== null),
  ];
}

async function exerciseCues(presentation: Presentation, textId: number, source: CheckedSource): Promise<void> {
  const cuesOf = (fromMs: number, toMs: number) =>
    bounded("cues", source, () => presentation.cues(source, textId, fromMs, toMs));
  for (let n = 1; n <= maxSegments; n++) {
    const span = hlsSubtitleSpan(presentation, n);
    if (span === null) break;
    checkWebVtt(writeWebVtt(await cuesOf(span.fromMs, span.toMs)), source.size);
  }
  // Last: who wants all may have it read once for everybody.
  checkWebVtt(writeWebVtt(await cuesOf(0, Number.POSITIVE_INFINITY)), source.size);
}

async function exerciseSegments(presentation: Presentation, trackId: number, count: number, source: CheckedSource) {
  const times = presentation.segmentTimes(trackId);
  const sizes = presentation.segmentSizes(trackId);
  expectThat(sizes.length === count, `${count} segments in the playlist, ${sizes.length} sizes`);
  for (let n = 1; n <= count; n++) {
    expectThat((times[n] ?? Number.NaN) >= (times[n - 1] ?? Number.NaN), `segment ${n} ends before it starts`);
    if (n > maxSegments && n < count) continue;
    await orMediaError(async () => {
      const plan = await bounded("segment", source, () => presentation.plan(source, trackId, n));
      expectThat(plan !== null, `segment ${n} of ${count} is missing`);
      await checkPlan(plan, source);
      checkBoxes(plan.header, plan.sizeBytes - plan.header.length);
      const picture = await bounded("key frame", source, () => presentation.planKeyFrame(source, trackId, n));
      if (picture !== null) await checkPlan(picture, source);
      // Where samples are found on the way, a damaged file may hold more of them than it tells.
      const told = sizes[n - 1] ?? Number.NaN;
      const fits = plan.sizeBytes === told || !(presentation instanceof MoviePresentation);
      expectThat(fits, `segment ${n} has ${plan.sizeBytes} bytes, ${told} were told`);
    });
  }
  expectThat((await presentation.plan(source, trackId, count + 1)) === null, "there is a segment after the last");
}

/** A stored index is read back as it was, or refused as stale. */
export async function exerciseIndexFile(bytes: Uint8Array): Promise<void> {
  const source = new CheckedSource(bytes);
  await bounded("index file", source, () => {
    try {
      playlistsOf(decodeIndex(bytes));
    } catch (error) {
      if (!(error instanceof StaleIndexError)) throw error;
    }
  });
}

/** What is no subtitle is passed over: a subtitle file is never refused. */
export async function exerciseSubtitles(bytes: Uint8Array): Promise<void> {
  const source = new CheckedSource(bytes);
  const cues = await bounded("subtitles", source, () => readSubtitleFile(bytes));
  checkWebVtt(await bounded("WebVTT", source, () => writeWebVtt(cues)), bytes.length);
  const part = cuesBetween(cues, 1000, 3000);
  expectThat(part.length <= cues.length && writeWebVtt(part).length > 0, "more cues in a part than in all");
}
