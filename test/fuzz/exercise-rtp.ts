import type { Presentation } from "../../src/media/presentation.ts";
import { maxPayloadBytes, type PacketGroup, rtpHeaderBytes, slotBytes } from "../../src/media/rtp/packet-group.ts";
import { keyPiecesOf, keySampleAt, packetise, piecesOf } from "../../src/media/rtp/packetise.ts";
import { type RtpTrack, rtpTracksOf } from "../../src/media/rtp/rtp-tracks.ts";
import { sessionDescription } from "../../src/media/rtp/sdp.ts";
import type { SampleRange } from "../../src/media/sample-range.ts";
import { bounded, type CheckedSource, checkSessionDescription, expectThat, orMediaError } from "./checks.ts";

/** Beyond these they all go the same way. */
const maxSegments = 8;
const maxPieces = 8;

/** Does with an original all that RTSP and RTP push do. */
export async function exerciseRtp(presentation: Presentation, source: CheckedSource): Promise<void> {
  const { tracks } = await bounded("RTP tracks", source, () => rtpTracksOf(presentation));
  const { durationSeconds } = presentation.description;
  const addresses = { originAddress: "127.0.0.1", connectionAddress: "::1%lo" };
  const about = { name: "a\r\nb", sessionId: "1", tracks, durationSeconds, ...addresses };
  checkSessionDescription(sessionDescription(about), source.size);
  const controlOf = ({ trackId }: RtpTrack) => `trackID=${trackId}`;
  const described = await bounded("session description", source, () =>
    sessionDescription({ ...about, controlOf, portOf: ({ payloadType }) => 5000 + payloadType }),
  );
  checkSessionDescription(described, source.size);
  for (const track of tracks) await exerciseTrack(presentation, track, source);
}

async function exerciseTrack(presentation: Presentation, rtp: RtpTrack, source: CheckedSource): Promise<void> {
  const segments = presentation.segmentSizes(rtp.trackId).length;
  for (let n = 1; n <= segments; n++) {
    if (n > maxSegments && n < segments) continue;
    await orMediaError(async () => {
      const range = await bounded("samples", source, () => presentation.segmentSamples(source, rtp.trackId, n));
      expectThat(range !== null, `samples of segment ${n} of ${segments} are missing`);
      await exerciseRange(range, rtp, source);
    });
  }
}

async function exerciseRange(range: SampleRange, rtp: RtpTrack, source: CheckedSource): Promise<void> {
  const pieces = await bounded("pieces", source, () => piecesOf(range));
  const ends = [range.from, ...pieces.map(({ to }) => to)];
  const isWhole = pieces.every(({ from, to }, i) => from === ends[i] && to > from) && ends.at(-1) === range.to;
  expectThat(isWhole, "pieces that are not all of a segment");
  const keys = await bounded("key pieces", source, () => keyPiecesOf(range));
  const key = await bounded("key sample", source, () => keySampleAt(range, 1));
  expectThat(key === null ? range.from >= range.to : key >= range.from && key < range.to, `key sample ${key}`);
  for (const piece of [...pieces.slice(0, maxPieces), ...keys.slice(0, maxPieces)]) {
    await orMediaError(async () => {
      checkPackets(await bounded("packets", source, () => packetise(source, piece, rtp)), rtp);
    });
  }
}

/** Every packet has the header that is told of it, fits into a datagram, and says when it is to be sent. */
function checkPackets({ bytes, count, starts, rtpTimes, dues, keys }: PacketGroup, rtp: RtpTrack): void {
  expectThat(starts.length === count + 1 && starts[0] === 0, `${count} packets start at ${starts.length} places`);
  expectThat(starts[count] === bytes.length, `packets of ${starts[count]} bytes in ${bytes.length}`);
  expectThat(
    [rtpTimes, dues, keys].every(({ length }) => length === count),
    "packets without times",
  );
  for (let i = 0; i < count; i++) {
    const [start = 0, end = 0] = [starts[i], starts[i + 1]];
    const length = ((bytes[start + 2] ?? 0) << 8) | (bytes[start + 3] ?? 0);
    expectThat(start + 4 + length === end && length > rtpHeaderBytes, `packet ${i} of ${end - start} says ${length}`);
    expectThat(rtp.codec === "opus" || end - start <= slotBytes + maxPayloadBytes, `packet ${i} has ${length} bytes`);
    expectThat(((bytes[start + 5] ?? 0) & 0x7f) === rtp.payloadType, `packet ${i} is of another payload type`);
    expectThat(Number.isInteger(rtpTimes[i]) && Number.isFinite(dues[i]), `packet ${i} is due at ${dues[i]}`);
  }
}
