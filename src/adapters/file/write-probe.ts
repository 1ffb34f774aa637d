import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** More than a file system keeps in a file's own record, and about what a change of the database takes. */
const PROBE_BYTES = 64 << 10;

/** Writes to a folder, which is made when it is not there, and takes it back. Rejects with the system's error. */
export async function probeWrite(folder: string): Promise<void> {
  const path = join(folder, `.kinora-write-test-${process.pid}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(path, new Uint8Array(PROBE_BYTES), { mode: 0o600 });
  } finally {
    await rm(path, { force: true });
  }
}
