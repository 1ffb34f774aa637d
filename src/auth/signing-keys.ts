import { hkdfSync } from "node:crypto";
import { CompactEncrypt, compactDecrypt, exportJWK, generateKeyPair, importJWK, type JWK } from "jose";
import type { AuthStore, StoredSigningKey } from "./auth-store.ts";
import { TOKEN_ALGORITHM } from "./contract.ts";

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
}

/** The keys that tokens are signed with, shared by all instances through the store. */
export class SigningKeys {
  readonly #store: AuthStore;
  readonly #wrappingKey: Uint8Array;

  constructor(store: AuthStore, secret: string) {
    this.#store = store;
    this.#wrappingKey = new Uint8Array(hkdfSync("sha256", secret, "", "kinora signing keys", 32));
  }

  /**
   * The newest key, made when there is none that this secret opens: whoever changes the secret ends all tokens.
   * `created` says that others must be told.
   */
  async open(): Promise<{ readonly key: SigningKey; readonly created: boolean }> {
    const newest = (await this.#openable()).at(-1);
    if (newest) return { key: newest.key, created: false };
    const { publicKey, privateKey } = await generateKeyPair(TOKEN_ALGORITHM, { extractable: true });
    const kid = Bun.randomUUIDv7();
    const stored = {
      id: kid,
      publicJwk: JSON.stringify({ ...(await exportJWK(publicKey)), kid, alg: TOKEN_ALGORITHM, use: "sig" }),
      privateJwe: await this.#wrap(await exportJWK(privateKey)),
    };
    await this.#store.addSigningKey(stored);
    return { key: { kid, privateKey }, created: true };
  }

  /** The public keys as a JWK set (RFC 7517). */
  async publicKeys(): Promise<{ keys: (JWK & Record<string, unknown>)[] }> {
    const openable = await this.#openable();
    return { keys: openable.map(({ stored }) => JSON.parse(stored.publicJwk)) };
  }

  async #openable(): Promise<{ readonly stored: StoredSigningKey; readonly key: SigningKey }[]> {
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
