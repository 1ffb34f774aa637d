import { readSequenceSet } from "../mpegts/h264.ts";
import { readHevcSequenceSet } from "../mpegts/h265.ts";
import { Box } from "./box.ts";

const headerBytes = 8;
const videoFieldsBytes = 78;
/** `transfer_characteristics` of ITU-T H.273. */
const perceptualQuantizer = 16;
const hybridLogGamma = 18;
const unspecified = 2;
const sequenceSet = 33;

/** How bright pictures may be, as HLS tells it (RFC 8216bis section 4.4.6.2, `VIDEO-RANGE`). */
export type VideoRange = "SDR" | "HLG" | "PQ";

/** The range of the pictures of a whole video sample entry: by `colr`, `vpcC`, or the sequence parameter set in it. */
export function videoRange(entry: Uint8Array | undefined): VideoRange {
  if (entry === undefined) return "SDR";
  const whole = new Box("entry", entry.subarray(headerBytes), 0);
  const boxes = whole.children({ at: videoFieldsBytes, lenient: true });
  const transfer = transferOf(boxes);
  return transfer === perceptualQuantizer ? "PQ" : transfer === hybridLogGamma ? "HLG" : "SDR";
}

function transferOf(boxes: readonly Box[]): number {
  for (const found of boxes) {
    const isColour = found.type === "colr" && found.size >= 10 && ["nclx", "nclc"].includes(found.fourCc(0));
    if (isColour && found.u16(6) !== unspecified) return found.u16(6);
    if (found.type === "vpcC" && found.size >= 9 && found.u8(8) !== unspecified) return found.u8(8);
  }
  for (const { type, content } of boxes) {
    if (type === "avcC") return transferOfAvc(content);
    if (type === "hvcC") return transferOfHevc(content);
  }
  return unspecified;
}

const u16At = (bytes: Uint8Array, at: number) => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

/** `avcC`: the first sequence parameter set stands after six bytes (ISO/IEC 14496-15 section 5.3.3.1). */
function transferOfAvc(content: Uint8Array): number {
  if (((content[5] ?? 0) & 0x1f) === 0) return unspecified;
  const set = readSequenceSet(content.subarray(8, 8 + u16At(content, 6)));
  return set?.usage.colour?.transfer ?? unspecified;
}

/** `hvcC`: arrays of parameter sets after 23 bytes (section 8.3.3.1). */
function transferOfHevc(content: Uint8Array): number {
  let at = 23;
  for (let array = content[22] ?? 0; array > 0 && at + 5 <= content.length; array--) {
    const type = (content[at] ?? 0) & 0x3f;
    const count = u16At(content, at + 1);
    at += 3;
    for (let i = 0; i < count && at + 2 <= content.length; i++) {
      const unit = content.subarray(at + 2, at + 2 + u16At(content, at));
      if (type === sequenceSet) return readHevcSequenceSet(unit)?.usage.colour?.transfer ?? unspecified;
      at += 2 + unit.length;
    }
  }
  return unspecified;
}
