import { createHash } from "node:crypto";
import { RateLimitedError } from "../errors.ts";
import { networkOf } from "../network.ts";

/** Counters that all instances share. `src/adapters` implements it. */
export interface AttemptStore {
  /**
   * Adds to a counter and gives its new value. The first addition starts its window; when that is over it is 0
   * again. Negative amounts take back what was added.
   */
  add(key: string, amount: number, windowMs: number): Promise<{ readonly count: number; readonly resetsInMs: number }>;
  /** The counter's value now; 0 when there is none. */
  count(key: string): Promise<number>;
  clear(key: string): Promise<void>;
}

interface Limit {
  readonly max: number;
  readonly windowMs: number;
}

const MINUTE = 60_000;
/** Failed attempts on one account from one address. */
export const ACCOUNT_AND_ADDRESS: Limit = { max: 20, windowMs: 5 * MINUTE };
/** Failed attempts from one address, on whatever accounts. */
export const ADDRESS: Limit = { max: 60, windowMs: 5 * MINUTE };
/** Failed attempts on one account from all addresses together that have not been seen to know the password. */
export const ACCOUNT: Limit = { max: 100, windowMs: 60 * MINUTE };
/** Accounts registered from one address. */
const REGISTRATIONS: Limit = { max: 100, windowMs: 60 * MINUTE };
/** Wrong codes of a second factor, wherever they come from: whoever sends one knows the password. */
export const SECOND_FACTOR: Limit = { max: 10, windowMs: 15 * MINUTE };
/** What one user changes of accounts, invitations and API keys: enough for a script that makes a school's accounts. */
export const CHANGES: Limit = { max: 300, windowMs: MINUTE };
/** How often one user reads the lists of them. */
export const READS: Limit = { max: 1_200, windowMs: MINUTE };
/** A code of an authenticator app counts for a minute and a half; after this it may be told from its next use. */
const CODE_REMEMBERED_MS = 3 * MINUTE;
/** How long an address that once signed in to an account stays known for it. */
const KNOWN_MS = 31 * 24 * 60 * MINUTE;

/**
 * Limits on guessing passwords. Attempts count before the password is looked at, so that many at once do not slip
 * through, and are taken back when it was right. An address that has signed in to an account before is not held up
 * by what others do to that account: nobody can lock an owner out from elsewhere.
 */
export class AttemptLimits {
  readonly #store: AttemptStore;

  constructor(store: AttemptStore) {
    this.#store = store;
  }

  /** Counts an attempt on an account; `RateLimitedError` when there were too many. */
  async attempt(account: string, clientAddress: string): Promise<void> {
    const address = networkOf(clientAddress);
    await this.#count(`signin:${account}:${address}`, ACCOUNT_AND_ADDRESS);
    await this.#count(`signin-address:${address}`, ADDRESS);
    const isKnown = (await this.#store.count(`signin-known:${account}:${address}`)) > 0;
    if (!isKnown) await this.#count(`signin-account:${account}`, ACCOUNT);
  }

  /** The password was right: failures of this account from this address are forgotten, and the address is known. */
  async succeeded(account: string, clientAddress: string): Promise<void> {
    const address = networkOf(clientAddress);
    await this.takeBack(account, clientAddress);
    await this.#store.clear(`signin:${account}:${address}`);
    await this.#store.clear(`signin-known:${account}:${address}`);
    await this.#store.add(`signin-known:${account}:${address}`, 1, KNOWN_MS);
  }

  /** Uncounts an attempt in which no password was looked at. */
  async takeBack(account: string, clientAddress: string): Promise<void> {
    const address = networkOf(clientAddress);
    const isKnown = (await this.#store.count(`signin-known:${account}:${address}`)) > 0;
    await this.#store.add(`signin:${account}:${address}`, -1, ACCOUNT_AND_ADDRESS.windowMs);
    await this.#store.add(`signin-address:${address}`, -1, ADDRESS.windowMs);
    if (!isKnown) await this.#store.add(`signin-account:${account}`, -1, ACCOUNT.windowMs);
  }

  /** Counts an attempt that names no account: a code from an invitation or from the start of the server. */
  async attemptCode(clientAddress: string): Promise<void> {
    await this.#count(`signin-address:${networkOf(clientAddress)}`, ADDRESS);
  }

  /** Counts a code of a second factor; `RateLimitedError` when there were too many wrong ones. */
  async attemptSecondFactor(userId: string): Promise<void> {
    await this.#count(`second-factor:${userId}`, SECOND_FACTOR);
  }

  /** The code was right: the wrong ones before it are forgotten. */
  async secondFactorSucceeded(userId: string): Promise<void> {
    await this.#store.clear(`second-factor:${userId}`);
  }

  /** Whether this code of this user has not been tried in the last minutes. */
  async isFirstUse(userId: string, code: string): Promise<boolean> {
    const digest = createHash("sha256").update(code).digest("base64url");
    return (await this.#store.add(`second-factor-code:${userId}:${digest}`, 1, CODE_REMEMBERED_MS)).count === 1;
  }

  /** Counts a registration; `RateLimitedError` when there were too many. */
  async register(clientAddress: string): Promise<void> {
    await this.#count(`register:${networkOf(clientAddress)}`, REGISTRATIONS);
  }

  /**
   * Counts what a signed-in user asks of accounts, invitations and keys; `RateLimitedError` when it is too much. While
   * the counters cannot be reached it is let through: nobody's password is guessed by it, and admins may be needed then.
   */
  async administer(userId: string, isChange: boolean): Promise<void> {
    const [kind, limit] = isChange ? (["changes", CHANGES] as const) : (["reads", READS] as const);
    await this.#count(`${kind}:${userId}`, limit).catch((error: unknown) => {
      if (error instanceof RateLimitedError) throw error;
    });
  }

  async #count(key: string, { max, windowMs }: Limit): Promise<void> {
    const { count, resetsInMs } = await this.#store.add(key, 1, windowMs);
    if (count <= max) return;
    const seconds = Math.max(1, Math.ceil(resetsInMs / 1000));
    throw new RateLimitedError(
      `Too many ${key.startsWith("changes") || key.startsWith("reads") ? "requests" : "attempts"}. Try again in ${inWords(seconds)}.`,
      seconds,
    );
  }
}

function inWords(seconds: number): string {
  if (seconds < 90) return `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}
