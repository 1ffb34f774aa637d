/** A run of bytes of the original. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** Bytes that the original does not have in this form. */
export interface LiteralBytes {
  readonly bytes: Uint8Array;
}

/** Most bytes of the original that one `DecodedRange` may take: it is read and decoded in one piece. */
export const maxDecodedBytes = 128 * 1024;

/** A run of bytes of the original that is sent in another form. */
export interface DecodedRange extends ByteRange {
  /** How many bytes `decode` makes. */
  readonly sizeBytes: number;
  /** Makes what is sent out of the `length` bytes; a pure function, called at most once for each answer. */
  readonly decode: (bytes: Uint8Array) => Uint8Array;
}

export type PlanPart = ByteRange | LiteralBytes | DecodedRange;

/** A computed answer: `header`, then what the `ranges` stand for, in this order. Nothing else is sent. */
export interface SegmentPlan {
  readonly header: Uint8Array;
  readonly ranges: readonly PlanPart[];
  /** Of header and ranges together: the `Content-Length`. */
  readonly sizeBytes: number;
}

/** How many bytes a part adds to the answer. */
export function partBytes(part: PlanPart): number {
  if ("bytes" in part) return part.bytes.length;
  return "decode" in part ? part.sizeBytes : part.length;
}
