import { hkdfSync } from "node:crypto";
import { CompactEncrypt, compactDecrypt, exportJWK, generateKeyPair, importJWK, type JWK } from "jose";
import type { AuthStore, StoredSigningKey } from "./auth-store.ts";
import { TOKEN_ALGORITHM } from "./contract.ts";

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
}

/**
 * A new key is known this long before anything is signed with it, so that every service has heard of it by then, in
 * milliseconds.
 */
const ANNOUNCED_MS = 10_000;

/** How long an instance may go on with an old key, at most: it reads the keys far more often. */
const LATE_MS = 24 * 3_600_000;

export interface SigningKeysOptions {
  /** Keys are replaced when they are this old. */
  readonly lifetimeMs: number;
  /** How long what has been signed may count: a key that was replaced is kept so long. */
  readonly keptMs: number;
}

interface OpenedKey {
  readonly stored: StoredSigningKey;
  readonly key: SigningKey;
}

/**
 * The keys that tokens and grants are signed with, shared by all instances through the store. Replaced as they age;
 * what an old key has signed counts on.
 */
export class SigningKeys {
  readonly #store: AuthStore;
  readonly #wrappingKey: Uint8Array;
  readonly #options: SigningKeysOptions;
  /** The oldest first; never empty once `maintain` has run. */
  #known: readonly OpenedKey[] = [];

  constructor(store: AuthStore, secret: string, options: SigningKeysOptions) {
    this.#store = store;
    this.#wrappingKey = new Uint8Array(hkdfSync("sha256", secret, "", "kinora signing keys", 32));
    this.#options = options;
  }

  /** The newest key that everybody has heard of. */
  get current(): SigningKey {
    const { lifetimeMs } = this.#options;
    const since = Date.now() - Math.min(ANNOUNCED_MS, lifetimeMs / 2);
    const [oldest] = this.#known;
    if (oldest === undefined) throw new Error("The signing keys have not been opened.");
    return (this.#known.findLast(({ stored }) => stored.createdAt.getTime() <= since) ?? oldest).key;
  }

  /**
   * Reads the keys, makes one when there is none that this secret opens (whoever changes the secret ends all tokens) or
   * the newest is too old, and forgets those that nothing valid is signed with. True when there is a new one: others
   * must be told. To be called before anything else, and then now and again.
   */
  async maintain(): Promise<boolean> {
    const known = await this.#openable();
    const newest = known.at(-1);
    const isDue = newest === undefined || Date.now() - newest.stored.createdAt.getTime() >= this.#options.lifetimeMs;
    const all = isDue ? [...known, await this.#make()] : known;
    const over = all.filter((_, i) => this.#isOver(all[i + 1]));
    await this.#store.deleteSigningKeys(over.map(({ stored }) => stored.id));
    this.#known = all.filter((one) => !over.includes(one));
    return isDue;
  }

  /** Whether all that was signed before this key took over has expired. An instance may learn of it late. */
  #isOver(next: OpenedKey | undefined): boolean {
    if (next === undefined) return false;
    return Date.now() > next.stored.createdAt.getTime() + LATE_MS + this.#options.keptMs;
  }

  async #make(): Promise<OpenedKey> {
    const { publicKey, privateKey } = await generateKeyPair(TOKEN_ALGORITHM, { extractable: true });
    const kid = Bun.randomUUIDv7();
    const stored = {
      id: kid,
      publicJwk: JSON.stringify({ ...(await exportJWK(publicKey)), kid, alg: TOKEN_ALGORITHM, use: "sig" }),
      privateJwe: await this.#wrap(await exportJWK(privateKey)),
      createdAt: new Date(),
    };
    await this.#store.addSigningKey(stored);
    return { stored, key: { kid, privateKey } };
  }

  /** The public keys as a JWK set (RFC 7517). */
  async publicKeys(): Promise<{ keys: (JWK & Record<string, unknown>)[] }> {
    const openable = await this.#openable();
    return { keys: openable.map(({ stored }) => JSON.parse(stored.publicJwk)) };
  }

  async #openable(): Promise<OpenedKey[]> {
    const stored = await this.#store.listSigningKeys();
    const opened = await Promise.all(stored.map(async (one) => ({ stored: one, key: await this.#unwrap(one) })));
    return opened.flatMap(({ stored: one, key }) => (key ? [{ stored: one, key }] : []));
  }

  #wrap(jwk: JWK): Promise<string> {
    return new CompactEncrypt(new TextEncoder().encode(JSON.stringify(jwk)))
      .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
      .encrypt(this.#wrappingKey);
  }

  async #unwrap({ id, privateJwe }: StoredSigningKey): Promise<SigningKey | null> {
    try {
      const { plaintext } = await compactDecrypt(privateJwe, this.#wrappingKey);
      const key = await importJWK(JSON.parse(new TextDecoder().decode(plaintext)) as JWK, TOKEN_ALGORITHM);
      return key instanceof Uint8Array ? null : { kid: id, privateKey: key };
    } catch {
      // Made with another secret.
      return null;
    }
  }
}
