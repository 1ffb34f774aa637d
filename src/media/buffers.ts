/** Where arrays come from that are needed for a moment, or until somebody says that they are not any more. */
export interface Buffers {
  /** An array of this length; what is in it is anything. */
  take(length: number): Uint8Array;
  /** Nobody uses this array, which `take` gave, any more. */
  give(bytes: Uint8Array): void;
}

/** A new array each time. */
export const freshBuffers: Buffers = {
  take: (length) => new Uint8Array(length),
  give: () => undefined,
};
