import { TemporaryUnavailableError } from "../errors.ts";

export const MIN_PASSWORD_LENGTH = 8;
/** Longer ones would only cost time to hash. */
export const MAX_PASSWORD_LENGTH = 256;

/** argon2id as OWASP recommends it: 19 MiB, two passes (memory cost in KiB). */
const ARGON2ID = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;
/** Each hash takes 19 MiB and a core: a burst of sign-ins must not take the machine. */
const CONCURRENT = 2;
const WAITING = 200;

/** Hashes and checks passwords, few at a time. */
export class Passwords {
  readonly #mayWait: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  #decoy: Promise<string> | null = null;

  /** `mayWait` are kept waiting for a turn; who comes beyond them is told to come again. */
  constructor(mayWait = WAITING) {
    this.#mayWait = mayWait;
  }

  /** argon2id in PHC form. */
  hash(password: string): Promise<string> {
    return this.#inTurn(() => Bun.password.hash(password, ARGON2ID));
  }

  /**
   * Whether the password belongs to the hash. Without a hash (no such user) it takes the same time and says no,
   * so that the time tells nothing about who exists.
   */
  async verify(password: string, hash: string | null): Promise<boolean> {
    this.#decoy ??= this.hash(crypto.randomUUID());
    const decoy = await this.#decoy;
    const matches = await this.#inTurn(() => Bun.password.verify(password, hash ?? decoy));
    return matches && hash !== null;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= CONCURRENT) {
      if (this.#waiting.length >= this.#mayWait)
        throw new TemporaryUnavailableError(
          "Too many people are signing in at this moment. Try again in a few seconds.",
        );
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // The next one takes over this turn, so that nobody slips in between.
      if (next) next();
      else this.#running--;
    }
  }
}
