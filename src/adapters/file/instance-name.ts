import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The name of the instance whose data folder this is, made on first use: what is on this machine alone is known by it,
 * whatever process runs there.
 */
export function instanceName(data: string): string {
  const path = join(data, "instance");
  try {
    writeFileSync(path, Bun.randomUUIDv7(), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  const name = readFileSync(path, "utf8").trim();
  if (/^[0-9a-f-]{36}$/.test(name)) return name;
  throw new Error(`${path} is damaged. Delete it: the videos of this machine's folders are found again.`);
}
