import { findStartCode, lengthBytes, startCodeBytes, unitEnd } from "./annex-b.ts";
import type { ElementaryBuffer } from "./elementary-buffer.ts";
import type { ParameterSets } from "./parameter-sets.ts";
import type { PictureFormat } from "./picture-format.ts";

/** Larger access units than this are dropped: 4 s of the fastest real streams fit in. */
export const maxUnitBytes = 32 * 2 ** 20;

/** What a NAL unit means for where access units begin, and for what they are. */
export interface NalRole {
  /** It begins an access unit when the one before has a slice already. */
  readonly startsUnit: boolean;
  readonly isSlice: boolean;
  /** It is the first slice of a picture. */
  readonly startsPicture: boolean;
  /** Decoding can start at its access unit. */
  readonly isKey: boolean;
  /** A slice that refers to no other picture. */
  readonly isIntra: boolean;
  /** The picture is this field of this frame; null for frames. */
  readonly field: { readonly frame: number; readonly isBottom: boolean } | null;
}

/** How a codec's NAL units are read. */
export interface VideoSyntax {
  readonly sets: ParameterSets;
  /** Of the first sequence parameter set; null before it came. */
  readonly format: PictureFormat | null;
  /** Whether the zero before a unit's four-byte start code goes with the unit before, as ffmpeg has it for H.265. */
  readonly keepsZero: boolean;
  /** Whether the parameter sets that decoding needs have come. */
  readonly isReady: boolean;
  /** `unit`: a whole NAL unit with its header; at least one byte. */
  roleOf(unit: Uint8Array): NalRole;
}

/** An access unit, or a frame of sound, found in an elementary stream. */
export interface Frame {
  /** Stream position of its first byte: of a start code or a header. */
  readonly start: number;
  /** Stream position after its last byte. */
  readonly end: number;
  /** Bytes of the sample that it becomes. */
  readonly size: number;
}

export interface AccessUnit extends Frame {
  readonly isKey: boolean;
  /** Whether none of its slices refers to another picture. */
  readonly isIntra: boolean;
  /** Stream position of what comes next; only zeros are between `end` and there. */
  readonly reach: number;
}

type Unit = { -readonly [Name in keyof AccessUnit]: AccessUnit[Name] } & { hasSlice: boolean; field: NalRole["field"] };

/** Cuts an Annex B stream into access units. Two fields of one frame are one unit, as MP4 has them. */
export class AccessUnitFramer {
  readonly #syntax: VideoSyntax;
  readonly #use: (unit: AccessUnit) => void;
  /** Where the current NAL unit's start code is; -1 before the first. */
  #nal = -1;
  /** Up to here there are no other start codes. */
  #searched = 0;
  #unit: Unit | null = null;
  /** A field that may have its other half in the next unit. */
  #held: Unit | null = null;

  constructor(syntax: VideoSyntax, use: (unit: AccessUnit) => void) {
    this.#syntax = syntax;
    this.#use = use;
  }

  /** Takes in what is new in the buffer, and lets go of what is not needed any more. `final`: nothing comes after it. */
  feed(buffer: ElementaryBuffer, final: boolean): void {
    for (;;) {
      const from = Math.max(buffer.start, this.#searched);
      const fresh = buffer.view(from, buffer.end);
      const found = findStartCode(fresh, 0, fresh.length);
      if (found < 0) {
        this.#searched = Math.max(from, buffer.end - (startCodeBytes - 1));
        break;
      }
      const next = from + found;
      const start = this.#nal + startCodeBytes;
      if (this.#nal >= 0) this.#endNal(buffer, unitEnd(buffer.view(start, next), 0, next - start));
      this.#nal = from + found;
      this.#searched = this.#nal + startCodeBytes;
    }
    if (final) this.#finish(buffer);
    const kept = this.#held?.start ?? this.#unit?.start ?? (this.#nal >= 0 ? this.#nal : this.#searched);
    if (buffer.end - kept > maxUnitBytes) this.#giveUp(buffer);
    else buffer.discard(kept);
  }

  #endNal(buffer: ElementaryBuffer, length: number): void {
    const start = this.#nal + startCodeBytes;
    if (length === 0) return;
    const role = this.#syntax.roleOf(buffer.view(start, start + length));
    if (this.#unit?.hasSlice && (role.startsUnit || (role.isSlice && role.startsPicture))) this.#endUnit(this.#nal);
    this.#unit ??= {
      ...{ start: this.#nal, end: start, size: 0, reach: start },
      ...{ isKey: false, isIntra: true, hasSlice: false, field: null },
    };
    const unit = this.#unit;
    unit.end = start + length;
    unit.size += lengthBytes + length;
    unit.isKey ||= role.isKey;
    if (!role.isSlice) return;
    unit.isIntra &&= role.isIntra;
    if (!unit.hasSlice) unit.field = role.field;
    unit.hasSlice = true;
  }

  #endUnit(reach: number): void {
    const unit = this.#unit;
    const held = this.#held;
    this.#unit = this.#held = null;
    if (unit === null || !unit.hasSlice) {
      this.#held = held;
      return;
    }
    unit.reach = reach;
    if (this.#syntax.keepsZero && unit.end + 1 === reach) {
      unit.end++;
      unit.size++;
    }
    if (held !== null && areOneFrame(held, unit)) {
      this.#use({ ...held, end: unit.end, size: held.size + unit.size, reach });
      return;
    }
    if (held !== null) this.#use(held);
    if (unit.field === null) this.#use(unit);
    else this.#held = unit;
  }

  #finish(buffer: ElementaryBuffer): void {
    if (this.#nal >= 0) this.#endNal(buffer, buffer.end - this.#nal - startCodeBytes);
    this.#endUnit(buffer.end);
    if (this.#held !== null) this.#use(this.#held);
    this.#held = null;
    this.#nal = -1;
    this.#searched = buffer.end;
  }

  #giveUp(buffer: ElementaryBuffer): void {
    this.#unit = this.#held = null;
    this.#nal = -1;
    this.#searched = buffer.end;
    buffer.discard(buffer.end);
  }
}

const areOneFrame = (first: Unit, second: Unit) =>
  first.field !== null &&
  second.field !== null &&
  first.field.frame === second.field.frame &&
  first.field.isBottom !== second.field.isBottom;
