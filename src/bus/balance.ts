/** Which of several live instances a call goes to. */
const balances = ["round-robin", "random", "least-outstanding"] as const;
export type Balance = (typeof balances)[number];

/** Chooses among the live instances of a service. */
export class Balancer {
  readonly #balance: Balance;
  /** Whose turn it is, for each service. */
  readonly #turns = new Map<string, number>();

  constructor(balance: Balance) {
    this.#balance = balance;
  }

  /** One of the candidates; undefined when there is none. `outstandingOf` is how many calls one is busy with. */
  pick<Candidate>(
    service: string,
    candidates: readonly Candidate[],
    outstandingOf: (candidate: Candidate) => number,
  ): Candidate | undefined {
    if (this.#balance === "random") return candidates[Math.floor(Math.random() * candidates.length)];
    const turn = this.#turns.get(service) ?? 0;
    this.#turns.set(service, turn + 1);
    if (this.#balance === "round-robin") return candidates[turn % candidates.length];
    const least = Math.min(...candidates.map(outstandingOf));
    const idle = candidates.filter((candidate) => outstandingOf(candidate) === least);
    return idle[turn % idle.length];
  }
}
