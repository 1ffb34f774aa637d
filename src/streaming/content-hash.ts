import type { ByteSource } from "../media/byte-source.ts";
import { ContentSample } from "./content-sample.ts";
import type { HashedContent } from "./source.ts";

const READ_BYTES = 1024 * 1024;

/** SHA-256 and sample of a file. What `onBytes` returns is waited for. The next piece is read while one is hashed; never more than two in memory. */
export async function contentHash(
  file: ByteSource,
  onBytes: (bytes: number) => Promise<void> | undefined = () => undefined,
): Promise<HashedContent> {
  const hasher = new Bun.CryptoHasher("sha256");
  const sample = new ContentSample(file.size);
  let next = file.read(0, READ_BYTES);
  for (let offset = 0; offset < file.size; ) {
    const bytes = await next;
    if (bytes.length === 0) break;
    sample.take(offset, bytes);
    offset += bytes.length;
    next = file.read(offset, READ_BYTES);
    hasher.update(bytes);
    const turn = onBytes(bytes.length);
    if (turn) await turn;
  }
  await next;
  return { mediaId: hasher.digest("hex"), sample: sample.mark };
}
