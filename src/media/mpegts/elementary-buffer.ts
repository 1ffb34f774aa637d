/** Where a byte of an elementary stream is in the file. */
export interface StreamPlace {
  /** The packet that holds it. */
  readonly packet: number;
  /** How many payload bytes of that packet come before it; headers of PES packets that start there are none. */
  readonly skip: number;
}

/** A stream that is only announced costs little; the others grow within a few packets. */
const firstCapacity = 8 * 1024;
const firstFragments = 64;

/** Part of an elementary stream in memory, by position in the stream; it knows which packet each byte came from. */
export class ElementaryBuffer {
  #bytes: Uint8Array = new Uint8Array(0);
  /** Stream position of `#bytes[0]`. */
  #base = 0;
  #length = 0;
  /** Bytes from one packet each: where they start in the stream, the packet, what was skipped of its payload. */
  #starts = new Float64Array(0);
  #packets = new Float64Array(0);
  #skips = new Uint8Array(0);
  #fragments = 0;

  /** Stream position of the first byte kept. */
  get start(): number {
    return this.#base;
  }

  /** Stream position after the last byte. */
  get end(): number {
    return this.#base + this.#length;
  }

  get length(): number {
    return this.#length;
  }

  /** Adds `source[from, to)`, which came from `packet` after `skip` other payload bytes. */
  append(source: Uint8Array, from: number, to: number, packet: number, skip: number): void {
    const size = to - from;
    if (this.#length + size > this.#bytes.length) this.#grow(this.#length + size);
    if (this.#fragments === this.#starts.length) this.#growFragments();
    this.#bytes.set(source.subarray(from, to), this.#length);
    this.#starts[this.#fragments] = this.end;
    this.#packets[this.#fragments] = packet;
    this.#skips[this.#fragments++] = skip;
    this.#length += size;
  }

  /** A view of the bytes between two positions that are there; good until the next `append` or `discard`. */
  view(from: number, to: number): Uint8Array {
    return this.#bytes.subarray(from - this.#base, to - this.#base);
  }

  /** Forgets what is before a position. */
  discard(before: number): void {
    const gone = Math.min(before, this.end) - this.#base;
    if (gone <= 0) return;
    this.#bytes.copyWithin(0, gone, this.#length);
    this.#base += gone;
    this.#length -= gone;
    const first = this.#length === 0 ? this.#fragments : Math.max(0, this.#fragmentOf(this.#base));
    for (const array of [this.#starts, this.#packets, this.#skips]) array.copyWithin(0, first, this.#fragments);
    this.#fragments -= first;
  }

  /** Where the byte at a position is. */
  placeOf(position: number): StreamPlace {
    const fragment = this.#fragmentOf(position);
    return {
      packet: this.#packets[fragment] ?? 0,
      skip: (this.#skips[fragment] ?? 0) + position - (this.#starts[fragment] ?? 0),
    };
  }

  /** The farthest position up to `to` so that all bytes from `from` on are in packets that start at or before `last`. */
  reach(from: number, to: number, last: number): number {
    let fragment = this.#fragmentOf(from);
    let end = to;
    for (; fragment + 1 < this.#fragments; fragment++) {
      end = this.#starts[fragment + 1] ?? to;
      if (end >= to || (this.#packets[fragment + 1] ?? 0) > last) break;
    }
    return fragment + 1 < this.#fragments ? Math.min(to, end) : to;
  }

  /** The last fragment that starts at or before a position. */
  #fragmentOf(position: number): number {
    let low = 0;
    let high = this.#fragments - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#starts[middle] ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(firstCapacity, needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }

  #growFragments(): void {
    const size = Math.max(firstFragments, this.#starts.length * 2);
    const larger = <T extends Float64Array | Uint8Array>(array: T, copy: T): T => {
      copy.set(array);
      return copy;
    };
    this.#starts = larger(this.#starts, new Float64Array(size));
    this.#packets = larger(this.#packets, new Float64Array(size));
    this.#skips = larger(this.#skips, new Uint8Array(size));
  }
}
