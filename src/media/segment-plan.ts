/** A run of bytes of the original. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** A computed answer: `header`, then the `ranges` of the original in this order. Nothing else is sent. */
export interface SegmentPlan {
  readonly header: Uint8Array;
  readonly ranges: readonly ByteRange[];
  /** Of header and ranges together: the `Content-Length`. */
  readonly sizeBytes: number;
}
