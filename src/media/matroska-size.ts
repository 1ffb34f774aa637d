import type { ByteSource } from "./byte-source.ts";
import { MediaError } from "./errors.ts";

const segmentId = 0x18538067;
/** The EBML header before the segment takes some 40 bytes. */
const searchedBytes = 4096;

/** A variable-length integer (RFC 8794 section 4); `value` is null for "unknown size". */
function readVint(bytes: Uint8Array, at: number): { value: number | null; length: number } | null {
  const first = bytes[at];
  if (first === undefined || first === 0) return null;
  const length = Math.clz32(first) - 23;
  if (at + length > bytes.length) return null;
  let value = first & (0xff >> length);
  let unknown = value === 0xff >> length;
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i] ?? 0;
    value = value * 256 + byte;
    unknown &&= byte === 0xff;
  }
  return { value: unknown ? null : value, length };
}

/** Fails as `truncated` when a Matroska or WebM file ends before its segment does. */
export async function checkMatroskaSize(source: ByteSource): Promise<void> {
  const head = await source.read(0, Math.min(searchedBytes, source.size));
  const header = readVint(head, 4);
  if (header?.value === undefined || header.value === null) return;
  const at = 4 + header.length + header.value;
  if (at + 5 > head.length || new DataView(head.buffer, head.byteOffset).getUint32(at) !== segmentId) return;
  const size = readVint(head, at + 4);
  if (size === null || size.value === null) return;
  const end = at + 4 + size.length + size.value;
  if (end > source.size) {
    throw new MediaError("truncated", "The file ends early", {
      box: "Segment",
      offset: at,
      expected: `${end} bytes`,
      got: source.size,
    });
  }
}
