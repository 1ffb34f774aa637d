/**
 * Remembers which paths were seen, in 8 bytes each: a million files take 8 MB. Two paths may count as the same with a
 * chance of one to 2^53 for each pair; the seed is another one for each set, so that they do not the next time.
 */
export class PlaceSet {
  readonly #seed = BigInt(Math.floor(Math.random() * Number.MAX_SAFE_INTEGER));
  #hashes = new Float64Array(1024);
  #length = 0;
  #isSorted = true;

  add(path: string): void {
    if (this.#length === this.#hashes.length) {
      const larger = new Float64Array(this.#length * 2);
      larger.set(this.#hashes);
      this.#hashes = larger;
    }
    this.#hashes[this.#length++] = this.#hashOf(path);
    this.#isSorted = false;
  }

  has(path: string): boolean {
    const sorted = this.#hashes.subarray(0, this.#length);
    if (!this.#isSorted) sorted.sort();
    this.#isSorted = true;
    const wanted = this.#hashOf(path);
    let [from, to] = [0, sorted.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((sorted[middle] ?? 0) < wanted) from = middle + 1;
      else to = middle;
    }
    return sorted[from] === wanted;
  }

  #hashOf(path: string): number {
    return Number(Bun.hash.wyhash(path, this.#seed) >> 11n);
  }
}
