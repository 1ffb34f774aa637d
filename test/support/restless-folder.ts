import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../fuzz/random.ts";

interface File {
  name: string;
  folder: string;
  bytes: number;
}

/** A folder of videos with contents of their own, which come, grow, get other names and places, and vanish, by a seed. */
export class RestlessFolder {
  readonly #path: string;
  readonly #video: Uint8Array;
  readonly #random: Random;
  readonly #files: File[] = [];
  /** What a file that has had this name is now; null once it has vanished. */
  readonly #byName = new Map<string, File | null>();
  #made = 0;

  constructor(path: string, video: Uint8Array, seed: number) {
    this.#path = path;
    this.#video = video;
    this.#random = new Random(seed);
  }

  /** One more, whole at once. */
  add(): void {
    const file = this.#begin();
    const bytes = this.#bytes();
    writeFileSync(this.#at(file), bytes);
    file.bytes = bytes.length;
  }

  /** So many changes of all kinds. */
  change(count: number): void {
    for (let n = 0; n < count; n++) {
      const kind = this.#random.next();
      if (kind < 0.2) this.add();
      else if (kind < 0.4) this.#grow();
      else if (kind < 0.6) this.#move({ name: `renamed ${this.#made++}` });
      else if (kind < 0.8) this.#move({ folder: `moved ${this.#random.below(5)}` });
      else this.#vanish();
    }
  }

  /** What is there: sizes in bytes by name. */
  sizes(): Map<string, number> {
    return new Map(this.#files.map(({ name, bytes }) => [name, bytes]));
  }

  /** What a file is called now that has been called this; null when it has vanished. */
  nameNow(name: string): string | null {
    return this.#byName.get(name)?.name ?? null;
  }

  #begin(): File {
    const n = this.#made++;
    const file = { name: `clip ${n}`, folder: `${n % 7}`, bytes: 0 };
    mkdirSync(join(this.#path, file.folder), { recursive: true });
    this.#files.push(file);
    this.#byName.set(file.name, file);
    return file;
  }

  /** One that is written piece by piece, as a copy is. */
  #grow(): void {
    const file = this.#begin();
    const bytes = this.#bytes();
    const step = Math.ceil(bytes.length / 4);
    for (let from = 0; from < bytes.length; from += step) {
      appendFileSync(this.#at(file), bytes.subarray(from, from + step));
      Bun.sleepSync(2);
    }
    file.bytes = bytes.length;
  }

  #move(to: Partial<File>): void {
    const file = this.#any();
    if (!file) return;
    const from = this.#at(file);
    Object.assign(file, to);
    mkdirSync(join(this.#path, file.folder), { recursive: true });
    renameSync(from, this.#at(file));
    this.#byName.set(file.name, file);
  }

  #vanish(): void {
    const file = this.#any();
    if (!file) return;
    rmSync(this.#at(file));
    this.#files.splice(this.#files.indexOf(file), 1);
    for (const [name, one] of this.#byName) if (one === file) this.#byName.set(name, null);
  }

  #any(): File | undefined {
    return this.#random.pick(this.#files);
  }

  /** The video and, for players to skip, a box that no other has. */
  #bytes(): Buffer {
    const mark = Buffer.from([0, 0, 0, 12, 0x66, 0x72, 0x65, 0x65, 0, 0, 0, 0]);
    mark.writeUInt32BE(this.#made, 8);
    return Buffer.concat([this.#video, mark]);
  }

  #at({ folder, name }: File): string {
    return join(this.#path, folder, `${name}.mp4`);
  }
}
