import { type AccessUnit, AccessUnitFramer, type VideoSyntax } from "./access-units.ts";
import type { ElementaryBuffer } from "./elementary-buffer.ts";
import type { ElementaryStream, StreamReader } from "./elementary-stream.ts";
import { GrowingColumn } from "./growing-column.ts";

/** Notes the pictures of a stream, from the first key frame on. */
export class VideoStream implements StreamReader {
  readonly isAnnexB = true;
  readonly stream: ElementaryStream;
  readonly syntax: VideoSyntax;
  /** Numbers of the samples that are key frames. */
  readonly keys = new GrowingColumn();
  /** Whether any picture told both its times. */
  hasDecodeTimes = false;
  readonly #framer: AccessUnitFramer;
  /** Stream positions where bytes are missing, of those that no unit has been looked at for. */
  #losses: number[] = [];

  constructor(stream: ElementaryStream, syntax: VideoSyntax) {
    this.stream = stream;
    this.syntax = syntax;
    this.#framer = new AccessUnitFramer(syntax, (unit) => this.#add(unit));
    stream.reader = this;
  }

  feed(buffer: ElementaryBuffer, final: boolean): void {
    this.#framer.feed(buffer, final);
  }

  lose(buffer: ElementaryBuffer): void {
    if (this.#losses.at(-1) !== buffer.end) this.#losses.push(buffer.end);
  }

  #add(unit: AccessUnit): void {
    const stamp = this.stream.stampFor(unit.start);
    if (this.#isDamaged(unit) || !this.syntax.isReady) return;
    const isKey = unit.isKey || (unit.isIntra && (stamp?.isRandomAccess ?? false));
    const { count } = this.stream.record;
    // What comes before refers to pictures that are not there.
    if (count === 0 && !isKey) return;
    if (isKey) this.keys.push(count);
    this.hasDecodeTimes ||= stamp?.hasDts ?? false;
    this.stream.add(unit, stamp);
  }

  #isDamaged({ start, reach }: AccessUnit): boolean {
    const damaged = this.#losses.some((position) => position > start && position <= reach);
    this.#losses = this.#losses.filter((position) => position > reach);
    return damaged;
  }
}
