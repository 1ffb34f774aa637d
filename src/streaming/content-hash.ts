import type { ByteSource } from "../media/byte-source.ts";

const READ_BYTES = 1024 * 1024;

/** SHA-256 of a file in lower-case hex. What `onBytes` returns is waited for. The next piece is read while one is hashed; never more than two in memory. */
export async function contentHash(
  file: ByteSource,
  onBytes: (bytes: number) => Promise<void> | undefined = () => undefined,
): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  let next = file.read(0, READ_BYTES);
  for (let offset = 0; offset < file.size; ) {
    const bytes = await next;
    if (bytes.length === 0) break;
    offset += bytes.length;
    next = file.read(offset, READ_BYTES);
    hasher.update(bytes);
    const turn = onBytes(bytes.length);
    if (turn) await turn;
  }
  await next;
  return hasher.digest("hex");
}
