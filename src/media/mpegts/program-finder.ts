import { packetBytes, payloadAt } from "./packet.ts";
import { type Program, type ProgramMap, readPat, readPmt, SectionAssembler } from "./program-tables.ts";

const patPid = 0;
/** Programs of one stream; a transponder has a few dozen. */
const maxPrograms = 256;

/** Follows the program tables of a stream: which programs there are, and what each is made of. */
export class ProgramFinder {
  /** In the order of the PAT. */
  #programs: readonly Program[] = [];
  readonly #maps = new Map<number, ProgramMap>();
  readonly #assemblers = new Map<number, SectionAssembler>();
  readonly #lastSections = new Map<number, Uint8Array>();
  readonly #onMap: (map: ProgramMap) => void;

  /** `onMap` gets each map that is new or has changed. */
  constructor(onMap: (map: ProgramMap) => void = () => undefined) {
    this.#onMap = onMap;
    this.#listen(patPid, (section) => this.#takePat(section));
  }

  /** Takes the packet whose sync byte is `bytes[at]`, when it is of a table. */
  push(bytes: Uint8Array, at: number, pid: number): void {
    const assembler = this.#assemblers.get(pid);
    const control = bytes[at + 3] ?? 0;
    const flags = bytes[at + 1] ?? 0;
    if (assembler === undefined || (control & 0xd0) !== 0x10 || flags & 0x80) return;
    assembler.push(bytes, payloadAt(bytes, at), at + packetBytes, (flags & 0x40) !== 0, control & 0x0f);
  }

  /** Whether a packet identifier is that of a table. */
  isTable(pid: number): boolean {
    return this.#assemblers.has(pid);
  }

  get programs(): readonly Program[] {
    return this.#programs;
  }

  /** The maps that are known, in the order of the PAT. */
  get maps(): ProgramMap[] {
    return this.#programs.map(({ number }) => this.#maps.get(number)).filter((map) => map !== undefined);
  }

  /** Whether every program's map is known. */
  get isComplete(): boolean {
    return this.#programs.length > 0 && this.maps.length === this.#programs.length;
  }

  #listen(pid: number, use: (section: Uint8Array) => void): void {
    const assembler = new SectionAssembler((section) => {
      const last = this.#lastSections.get(pid);
      if (last !== undefined && Buffer.compare(last, section) === 0) return;
      this.#lastSections.set(pid, section);
      use(section);
    });
    this.#assemblers.set(pid, assembler);
  }

  #takePat(section: Uint8Array): void {
    const programs = readPat(section);
    if (programs === null || programs.length === 0) return;
    const isPart = section[7] !== 0; // last_section_number: the table has several sections
    const kept = isPart
      ? this.#programs.filter(({ number }) => programs.every((other) => other.number !== number))
      : [];
    this.#programs = [...kept, ...programs].slice(0, maxPrograms);
    const pids = new Set(this.#programs.map(({ mapPid }) => mapPid));
    for (const pid of this.#assemblers.keys()) if (pid !== patPid && !pids.has(pid)) this.#forget(pid);
    for (const pid of pids) if (!this.#assemblers.has(pid)) this.#listen(pid, (map) => this.#takePmt(map));
  }

  #forget(pid: number): void {
    this.#assemblers.delete(pid);
    this.#lastSections.delete(pid);
  }

  #takePmt(section: Uint8Array): void {
    const map = readPmt(section);
    if (map === null || this.#programs.every(({ number }) => number !== map.programNumber)) return;
    this.#maps.set(map.programNumber, map);
    this.#onMap(map);
  }
}
