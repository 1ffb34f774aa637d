/** Program specific information: which packets are what. ISO/IEC 13818-1 section 2.4.4. */

const maxSectionBytes = 4096;
const firstSectionBytes = 128;
const patId = 0;
const pmtId = 2;
const maxStreams = 256;

/** Puts the sections of a table together out of payloads. */
export class SectionAssembler {
  #bytes = new Uint8Array(0);
  #have = 0;
  #wanted = 0;
  #lastCounter = -1;
  readonly #use: (section: Uint8Array) => void;

  /** `use` gets each section whose checksum is right. */
  constructor(use: (section: Uint8Array) => void) {
    this.#use = use;
  }

  push(bytes: Uint8Array, from: number, to: number, unitStart: boolean, counter: number): void {
    const continues = counter === ((this.#lastCounter + 1) & 15);
    if (counter === this.#lastCounter) return;
    this.#lastCounter = counter;
    if (!continues) this.#have = this.#wanted = 0;
    if (unitStart) this.#begin(bytes, from, to);
    else this.#take(bytes, from, to, false);
  }

  /** A section begins somewhere in this payload; before it may be the end of the one before. */
  #begin(bytes: Uint8Array, from: number, to: number): void {
    const pointer = from + 1 + (bytes[from] ?? 0);
    if (pointer > to) {
      this.#have = this.#wanted = 0;
      return;
    }
    this.#take(bytes, from + 1, pointer, false);
    this.#have = this.#wanted = 0;
    this.#take(bytes, pointer, to, true);
  }

  /** `begins`: a section starts here; others follow it until a stuffing byte. */
  #take(bytes: Uint8Array, from: number, to: number, begins: boolean): void {
    let mayBegin = begins;
    for (let at = from; at < to; at++) {
      if (this.#have === 0 && (!mayBegin || bytes[at] === 0xff)) return;
      if (this.#have === this.#bytes.length) this.#grow();
      this.#bytes[this.#have++] = bytes[at] ?? 0;
      if (this.#have === 3) this.#wanted = 3 + ((((this.#bytes[1] ?? 0) & 0x0f) << 8) | (this.#bytes[2] ?? 0));
      if (this.#wanted > maxSectionBytes) {
        this.#have = this.#wanted = 0;
        return;
      }
      if (this.#have < 3 || this.#have < this.#wanted) continue;
      const section = this.#bytes.slice(0, this.#wanted);
      this.#have = this.#wanted = 0;
      mayBegin = true;
      if (crc32(section) === 0) this.#use(section);
    }
  }

  #grow(): void {
    const larger = new Uint8Array(Math.max(firstSectionBytes, this.#bytes.length * 2));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

const crcTable = Uint32Array.from({ length: 256 }, (_, i) => {
  let value = i << 24;
  for (let bit = 0; bit < 8; bit++) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value;
});

/** CRC_32 of annex A: 0 over a section with its checksum. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc << 8) ^ (crcTable[((crc >>> 24) ^ byte) & 0xff] ?? 0);
  return crc >>> 0;
}

/** A program of the PAT. */
export interface Program {
  readonly number: number;
  readonly mapPid: number;
}

/** The programs of a PAT section; null when it is something else or not yet valid. */
export function readPat(section: Uint8Array): Program[] | null {
  if (section[0] !== patId || section.length < 12 || !isCurrent(section)) return null;
  const programs: Program[] = [];
  for (let at = 8; at + 4 <= section.length - 4; at += 4) {
    const number = u16(section, at);
    // Program 0 is the network's table.
    if (number !== 0) programs.push({ number, mapPid: u16(section, at + 2) & 0x1fff });
  }
  return programs;
}

/** A stream of a program, as its PMT tells. */
export interface MappedStream {
  readonly pid: number;
  readonly streamType: number;
  /** Of `registration_descriptor`: `AC-3`, `HDMV`; empty when there is none. */
  readonly registration: string;
  /** Tags of its descriptors. */
  readonly tags: ReadonlySet<number>;
  /** `extension_descriptor_tag`s of DVB's extension descriptors, with their first byte. */
  readonly extensions: ReadonlyMap<number, number>;
  /** Of `ISO_639_language_descriptor`, as it stands there. */
  readonly language: string | null;
}

export interface ProgramMap {
  readonly programNumber: number;
  /** Of the program's own `registration_descriptor`. */
  readonly registration: string;
  readonly streams: readonly MappedStream[];
}

/** A PMT section; null when it is something else or not yet valid. */
export function readPmt(section: Uint8Array): ProgramMap | null {
  if (section[0] !== pmtId || section.length < 16 || !isCurrent(section)) return null;
  const end = section.length - 4;
  let at = 12 + (u16(section, 10) & 0x0fff);
  const own = readDescriptors(section.subarray(12, Math.min(at, end)));
  const streams: MappedStream[] = [];
  while (at + 5 <= end && streams.length < maxStreams) {
    const length = u16(section, at + 3) & 0x0fff;
    const descriptors = readDescriptors(section.subarray(at + 5, Math.min(end, at + 5 + length)));
    streams.push({ pid: u16(section, at + 1) & 0x1fff, streamType: section[at] ?? 0, ...descriptors });
    at += 5 + length;
  }
  return { programNumber: u16(section, 3), registration: own.registration, streams };
}

const registrationTag = 0x05;
const languageTag = 0x0a;
const extensionTag = 0x7f;

function readDescriptors(bytes: Uint8Array) {
  const tags = new Set<number>();
  const extensions = new Map<number, number>();
  let registration = "";
  let language: string | null = null;
  for (let at = 0; at + 2 <= bytes.length; ) {
    const tag = bytes[at] ?? 0;
    const content = bytes.subarray(at + 2, at + 2 + (bytes[at + 1] ?? 0));
    at += 2 + (bytes[at + 1] ?? 0);
    tags.add(tag);
    if (tag === registrationTag && content.length >= 4) registration = latin1(content.subarray(0, 4));
    if (tag === languageTag && content.length >= 3) language ??= latin1(content.subarray(0, 3));
    if (tag === extensionTag && content.length >= 1) extensions.set(content[0] ?? 0, content[1] ?? 0);
  }
  return { tags, extensions, registration, language };
}

const latin1 = (bytes: Uint8Array) => String.fromCharCode(...bytes);
const u16 = (bytes: Uint8Array, at: number) => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
/** `section_syntax_indicator` and `current_next_indicator`. */
const isCurrent = (section: Uint8Array) => ((section[1] ?? 0) & 0x80) !== 0 && ((section[5] ?? 0) & 1) === 1;
