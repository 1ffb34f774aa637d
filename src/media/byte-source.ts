/** Random access to the bytes of one original: a file, an object, a list of parts. */
export interface ByteSource {
  /** Length in bytes; fixed while the source is open. */
  readonly size: number;
  /**
   * The bytes from `offset`, exactly `length` of them. Callers never ask past `size`; an implementation that cannot
   * deliver them all throws. The array may be kept by the caller.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** The same into an array of the caller's; returns how many bytes came, fewer than fit only at the end. */
  readInto?(target: Uint8Array, offset: number): Promise<number>;
}
