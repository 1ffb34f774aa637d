import type { Stats } from "node:fs";
import { open } from "node:fs/promises";

/** Throws what the system says when a file may not be read; opens only those that look so. */
export async function requireReadable(file: string, state: Stats): Promise<void> {
  if (!mayRead(state)) await (await open(file)).close();
}

/** Whether the permissions say that this process may read a file; access lists may allow it all the same. */
function mayRead({ mode, uid, gid }: Stats): boolean {
  if (uid === process.geteuid?.()) return (mode & 0o400) !== 0;
  const [group, others] = [(mode & 0o040) !== 0, (mode & 0o004) !== 0];
  return group !== others && isOfGroup(gid) ? group : others;
}

const isOfGroup = (gid: number) => gid === process.getegid?.() || process.getgroups?.().includes(gid) === true;
