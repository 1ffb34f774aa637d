import { bitsIn, CHUNK, FEW_BITS, WORDS } from "./posting-bits.ts";
import type { Candidates } from "./title-candidates.ts";
import type { Column, ColumnPart } from "./title-columns.ts";
import type { TitleView } from "./title-memory.ts";

/** An order by two columns, the second one where the first is the same. */
export interface Picking {
  readonly columns: readonly [Column, Column | null];
  readonly isDescending: boolean;
  /** Numbers of the place after which they come; null for the order's beginning. */
  readonly after: readonly [key: number, next: number] | null;
  readonly count: number;
  /** Whether different titles may have the same numbers: those of the place after which they come and of the last one are picked too. */
  readonly isRough: boolean;
}

/** Titles of the same numbers that are picked at most. */
const SAME_AT_MOST = 1_000;

export interface Picked {
  /** In their order, as far as the columns tell it. */
  readonly nums: number[];
  /** Whether no others come later. */
  readonly isAll: boolean;
}

/** The first candidates of an order after a place; null when too many have the same numbers to be told apart by them. */
export async function pick(view: TitleView, candidates: Candidates, picking: Picking): Promise<Picked | null> {
  const { columns, isDescending, count } = picking;
  const chunks = candidates.chunks();
  await view.loadColumns(
    columns.filter((column) => column !== null),
    chunks,
  );
  const sign = isDescending ? -1 : 1;
  const picker = new Picker(picking, sign);
  const parts = chunks.flatMap((chunk) => {
    const first = view.column(columns[0], chunk);
    return first ? [{ chunk, first, begin: sign * (isDescending ? first.most : first.least) }] : [];
  });
  for (const { chunk, first, begin } of parts.sort((a, b) => a.begin - b.begin)) {
    const end = sign * (isDescending ? first.least : first.most);
    if (begin > picker.worst) break;
    if (end < picker.least) continue;
    picker.look(candidates.chunk(chunk), chunk, first, columns[1] && view.column(columns[1], chunk));
  }
  return picker.isOverfull ? null : { nums: picker.nums(), isAll: picker.seen < count };
}

/** Keeps the smallest of what it is told: a heap with the largest of them on top. */
class Picker {
  readonly least: number;
  readonly #leastNext: number;
  readonly #isRough: boolean;
  readonly #sign: number;
  readonly #count: number;
  readonly #keys: Float64Array;
  readonly #nexts: Float64Array;
  readonly #nums: Float64Array;
  #size = 0;
  /** Of the same numbers as the place after which they come, and as the worst one kept. */
  readonly #before: number[] = [];
  #same: number[] = [];

  constructor({ after, count, isRough }: Picking, sign: number) {
    this.#sign = sign;
    this.least = after ? sign * after[0] : Number.NEGATIVE_INFINITY;
    this.#leastNext = after ? sign * after[1] : Number.NEGATIVE_INFINITY;
    this.#isRough = isRough;
    this.#count = count;
    this.#keys = new Float64Array(count);
    this.#nexts = new Float64Array(count);
    this.#nums = new Float64Array(count);
  }

  /** The largest key that may still be kept. */
  get worst(): number {
    return this.#size < this.#count ? Number.POSITIVE_INFINITY : (this.#keys[0] ?? 0);
  }

  /** How many were found after the place, up to as many as are kept. */
  get seen(): number {
    return this.#size;
  }

  get isOverfull(): boolean {
    return Math.max(this.#before.length, this.#same.length) > SAME_AT_MOST;
  }

  /** In their order, those of the same numbers as the place first, those of the same as the last one last. */
  nums(): number[] {
    const order = Array.from({ length: this.#size }, (_, i) => i).sort(
      (a, b) => (this.#keys[a] ?? 0) - (this.#keys[b] ?? 0) || (this.#nexts[a] ?? 0) - (this.#nexts[b] ?? 0),
    );
    return [...this.#before, ...order.map((i) => this.#nums[i] ?? 0), ...this.#same];
  }

  /** Looks at the titles of a chunk. */
  look(bits: Uint32Array, chunk: number, first: ColumnPart, next: ColumnPart | null): void {
    const keys = first.values;
    const nexts = next?.values ?? null;
    const sign = this.#sign;
    const { least } = this;
    let { worst } = this;
    for (let i = 0; i < WORDS; i++) {
      const word = bits[i] ?? 0;
      if (bitsIn(word) <= FEW_BITS) {
        for (let left = word; left !== 0; left &= left - 1) {
          const offset = 32 * i + 31 - Math.clz32(left & -left);
          const key = sign * (keys[offset] ?? 0);
          if (key > worst || key < least) continue;
          this.#take(key, nexts === null ? 0 : sign * (nexts[offset] ?? 0), chunk * CHUNK + offset);
          worst = this.worst;
        }
        continue;
      }
      // Where most titles of a word are candidates, comparing keys first takes a third of the time of going by its bits.
      for (let offset = 32 * i; offset < 32 * i + 32; offset++) {
        const key = sign * (keys[offset] ?? 0);
        if (key > worst || key < least || ((word >>> (offset & 31)) & 1) === 0) continue;
        this.#take(key, nexts === null ? 0 : sign * (nexts[offset] ?? 0), chunk * CHUNK + offset);
        worst = this.worst;
      }
    }
  }

  #take(key: number, next: number, num: number): void {
    if (key === this.least && next <= this.#leastNext) {
      if (this.#isRough && next === this.#leastNext) this.#alsoKeep(this.#before, num);
      return;
    }
    if (this.#size < this.#count) {
      this.#rise(this.#size++, key, next, num);
      return;
    }
    const worst = this.#keys[0] ?? 0;
    const worstNext = this.#nexts[0] ?? 0;
    if (key > worst || (key === worst && next > worstNext)) return;
    if (key === worst && next === worstNext) {
      if (this.#isRough) this.#alsoKeep(this.#same, num);
      return;
    }
    const left = this.#nums[0] ?? 0;
    this.#sink(key, next, num);
    if (!this.#isRough) return;
    if (this.#keys[0] === worst && this.#nexts[0] === worstNext) this.#alsoKeep(this.#same, left);
    else this.#same = [];
  }

  #alsoKeep(list: number[], num: number): void {
    if (list.length <= SAME_AT_MOST) list.push(num);
  }

  #rise(from: number, key: number, next: number, num: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(parent, key, next)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, key, next, num);
  }

  #sink(key: number, next: number, num: number): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      const other = child + 1;
      if (other < this.#size && this.#isBefore(child, this.#keys[other] ?? 0, this.#nexts[other] ?? 0)) child = other;
      if (this.#isBefore(child, key, next)) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, key, next, num);
  }

  /** Whether what is at a place comes before something else. */
  #isBefore(at: number, key: number, next: number): boolean {
    const here = this.#keys[at] ?? 0;
    return here < key || (here === key && (this.#nexts[at] ?? 0) < next);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#keys[from] ?? 0, this.#nexts[from] ?? 0, this.#nums[from] ?? 0);
  }

  #put(at: number, key: number, next: number, num: number): void {
    this.#keys[at] = key;
    this.#nexts[at] = next;
    this.#nums[at] = num;
  }
}
