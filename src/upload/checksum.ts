import { InvalidRequestError } from "../errors.ts";
import { ChecksumMismatchError } from "./errors.ts";

/** Algorithms of `Upload-Checksum` (tus 1.0.0, Checksum), by their names there. */
export const checksumAlgorithms = ["sha1", "sha256", "md5"] as const;

/** The digest that the bytes of one request must have. */
export class Checksum {
  readonly #hasher: Bun.CryptoHasher;
  readonly #expected: string;

  private constructor(algorithm: (typeof checksumAlgorithms)[number], expected: string) {
    this.#hasher = new Bun.CryptoHasher(algorithm);
    this.#expected = expected;
  }

  /** Reads the header; null when there is none. `InvalidRequestError` for an algorithm that is not known. */
  static parse(header: string | null): Checksum | null {
    if (header === null) return null;
    const [name, expected, ...rest] = header.split(" ");
    const algorithm = checksumAlgorithms.find((known) => known === name);
    if (!algorithm || !expected || rest.length > 0) {
      const known = checksumAlgorithms.join(", ");
      throw new InvalidRequestError(`Upload-Checksum: expected one of ${known} and the digest in Base64.`);
    }
    return new Checksum(algorithm, expected);
  }

  /** The same chunks, followed by `ChecksumMismatchError` when they were not the ones that were sent. */
  async *verify(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of chunks) {
      this.#hasher.update(chunk);
      yield chunk;
    }
    if (this.#hasher.digest("base64") !== this.#expected) throw new ChecksumMismatchError();
  }
}
