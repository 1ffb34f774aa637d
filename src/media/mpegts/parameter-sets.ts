/** Larger ones than this are no real parameter sets. */
const maxSetBytes = 4096;

export type SetKind = "vps" | "sps" | "pps";

/** The parameter sets that a stream carries: the first of each number, and whether they stay the same. */
export class ParameterSets {
  readonly #sets: Readonly<Record<SetKind, Map<number, Uint8Array>>> = {
    vps: new Map(),
    sps: new Map(),
    pps: new Map(),
  };
  /** Whether a set came again with other content: decoders then need those in the stream. */
  hasChanged = false;

  /** Notes a set; true when it is new. `id` is null when the set is damaged. */
  add(kind: SetKind, id: number | null, nal: Uint8Array): boolean {
    if (id === null || nal.length > maxSetBytes) return false;
    const known = this.#sets[kind].get(id);
    if (known === undefined) {
      this.#sets[kind].set(id, nal.slice());
      return true;
    }
    if (!equal(known, nal)) this.hasChanged = true;
    return false;
  }

  has(kind: SetKind): boolean {
    return this.#sets[kind].size > 0;
  }

  /** The sets of a kind, by number. */
  all(kind: SetKind): Uint8Array[] {
    return [...this.#sets[kind]].sort(([a], [b]) => a - b).map(([, set]) => set);
  }
}

const equal = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, i) => byte === b[i]);
