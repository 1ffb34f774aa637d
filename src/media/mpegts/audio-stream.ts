import { type AudioFormat, type AudioFrame, AudioFramer, type AudioSyntax } from "./audio-frames.ts";
import type { ElementaryBuffer } from "./elementary-buffer.ts";
import type { ElementaryStream, StreamReader } from "./elementary-stream.ts";
import { GrowingColumn } from "./growing-column.ts";

/** Notes the frames of a stream of sound. */
export class AudioStream implements StreamReader {
  readonly isAnnexB = false;
  readonly stream: ElementaryStream;
  /** In samples of sound, of each frame. */
  readonly durations = new GrowingColumn();
  /** From which frame on the sound has which format. */
  readonly changes: { readonly sample: number; readonly format: AudioFormat }[] = [];
  /** Frames before which others may be missing. */
  readonly gaps = new GrowingColumn();
  readonly #framer: AudioFramer;
  #isAfterGap = false;

  constructor(stream: ElementaryStream, syntax: AudioSyntax) {
    this.stream = stream;
    this.#framer = new AudioFramer(syntax, (frame) => this.#add(frame));
    stream.reader = this;
  }

  feed(buffer: ElementaryBuffer, final: boolean): void {
    this.#framer.feed(buffer, final);
  }

  lose(buffer: ElementaryBuffer): void {
    this.#framer.lose(buffer);
    this.#isAfterGap = true;
  }

  #add({ format, duration, ...frame }: AudioFrame): void {
    const stamp = this.stream.stampFor(frame.start);
    if (format === null) return;
    if (this.changes.at(-1)?.format !== format) this.changes.push({ sample: this.stream.record.count, format });
    if (this.#isAfterGap) this.gaps.push(this.stream.record.count);
    this.#isAfterGap = false;
    this.durations.push(duration);
    this.stream.add(frame, stamp);
  }
}
