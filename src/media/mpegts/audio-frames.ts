import type { Frame } from "./access-units.ts";
import type { ElementaryBuffer } from "./elementary-buffer.ts";

/** Formats of one stream; nearly always one. */
const maxFormats = 32;

/** What a decoder must know beforehand; frames with another one need another sample entry. */
export interface AudioFormat {
  /** Family name. */
  readonly codec: string;
  readonly sampleRate: number;
  readonly channels: number;
  /** RFC 6381 string. */
  readonly codecString: string;
  /** The sample entry box. */
  readonly entry: Uint8Array;
}

/** What the header of a frame of sound says. */
export interface AudioHeader {
  /** Of the whole frame in the stream. */
  readonly bytes: number;
  /** Of the frame without what MP4 does not keep, which stands before the rest. */
  readonly size: number;
  /** In samples of sound; 0 for frames that add channels to the one before. */
  readonly duration: number;
  readonly isAddition: boolean;
}

/** How a codec's frames are read. */
export interface AudioSyntax {
  /** A header is judged when this many bytes are there. */
  readonly headerBytes: number;
  /** Frames are put together until they last this long; 0: never. */
  readonly unitDuration: number;
  /** The header at `at`, null when there is none. */
  readHeader(bytes: Uint8Array, at: number): AudioHeader | null;
  /** The same number for frames of the same format. `at`: a frame whose header is right. */
  formatKey(bytes: Uint8Array, at: number): number;
  /** What the frame at `at` is made of; null when MP4 cannot carry it. */
  formatOf(bytes: Uint8Array, at: number): AudioFormat | null;
}

export interface AudioFrame extends Frame {
  readonly duration: number;
  readonly format: AudioFormat | null;
}

type Unit = { -readonly [Name in keyof AudioFrame]: AudioFrame[Name] };

/** Cuts a stream of sound into frames. After a loss it goes on at the first header that another one follows. */
export class AudioFramer {
  readonly #syntax: AudioSyntax;
  readonly #use: (frame: AudioFrame) => void;
  #isInStep = false;
  /** Up to here the stream is cut. */
  #searched = 0;
  #unit: Unit | null = null;
  readonly #formats = new Map<number, AudioFormat | null>();

  constructor(syntax: AudioSyntax, use: (frame: AudioFrame) => void) {
    this.#syntax = syntax;
    this.#use = use;
  }

  /** Takes in whole frames and lets go of their bytes. `final`: nothing comes after what is in the buffer. */
  feed(buffer: ElementaryBuffer, final: boolean): void {
    const base = Math.max(buffer.start, this.#searched);
    const bytes = buffer.view(base, buffer.end);
    let at = 0;
    while (at + this.#syntax.headerBytes <= bytes.length) {
      const header = this.#syntax.readHeader(bytes, at);
      if (header === null) {
        this.#isInStep = false;
        at++;
        continue;
      }
      if (at + header.bytes > bytes.length) {
        // In step the rest will come; out of step this may be no header at all.
        if (final && !this.#isInStep) {
          at++;
          continue;
        }
        break;
      }
      const verdict = this.#isInStep || this.#isFollowed(bytes, at + header.bytes, final);
      if (verdict === null) break;
      if (verdict) this.#take(bytes, at, base, header);
      this.#isInStep = verdict;
      at += verdict ? header.bytes : 1;
    }
    if (final) this.#endUnit();
    this.#searched = final ? buffer.end : base + at;
    // Where a unit is must be known until it is passed on.
    buffer.discard(this.#unit?.start ?? this.#searched);
  }

  /** Drops what is begun: bytes are missing behind it. */
  lose(buffer: ElementaryBuffer): void {
    this.feed(buffer, true);
    this.#isInStep = false;
  }

  /** Whether a header stands at `at`; null while that cannot be said. */
  #isFollowed(bytes: Uint8Array, at: number, final: boolean): boolean | null {
    if (at + this.#syntax.headerBytes <= bytes.length) return this.#syntax.readHeader(bytes, at) !== null;
    return final ? at === bytes.length : null;
  }

  #take(bytes: Uint8Array, at: number, base: number, header: AudioHeader): void {
    const start = base + at;
    const end = start + header.bytes;
    const unit = this.#unit;
    if (unit?.end === start && (header.isAddition || unit.duration < this.#syntax.unitDuration)) {
      unit.end = end;
      unit.size += header.size;
      unit.duration += header.duration;
      return;
    }
    this.#endUnit();
    // An addition without the frame that it adds to is of no use.
    if (header.isAddition) return;
    this.#unit = { start, end, size: header.size, duration: header.duration, format: this.#formatOf(bytes, at) };
  }

  /** The same object for the same format. */
  #formatOf(bytes: Uint8Array, at: number): AudioFormat | null {
    const key = this.#syntax.formatKey(bytes, at);
    const known = this.#formats.get(key);
    if (known !== undefined || this.#formats.size >= maxFormats) return known ?? null;
    const format = this.#syntax.formatOf(bytes, at);
    this.#formats.set(key, format);
    return format;
  }

  #endUnit(): void {
    if (this.#unit !== null) this.#use(this.#unit);
    this.#unit = null;
  }
}
