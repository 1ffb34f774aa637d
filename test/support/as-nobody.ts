/**
 * Goes on as a user without rights, who owns this folder, until it is disposed of. The administrator of the machine may read
 * everything, so without it permissions could not be tested as root; whoever is not root stays as they are.
 */
export function asNobody(folder: string): Disposable {
  if (process.getuid?.() !== 0) return { [Symbol.dispose]: () => undefined };
  Bun.spawnSync(["chown", "-R", "65534:65534", folder]);
  process.seteuid?.(65_534);
  return { [Symbol.dispose]: () => process.seteuid?.(0) };
}
