import { createSocket } from "node:dgram";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClientError } from "../errors.ts";

/** Picture and sound, RTP and RTCP each: so many ports in a row. */
const PORTS = 4;
const ATTEMPTS = 20;
const LISTEN_MS = 5_000;
const POLL_MS = 25;
/** Where the system does not show who listens, a player is given so long. */
const BLIND_MS = 1_500;

const isTaken = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = createSocket("udp4");
    socket.once("error", () => resolve(true));
    socket.bind(port, () => socket.close(() => resolve(false)));
  });

/** An even port (RFC 3550 section 11) that is free with those after it; the player will take them. */
export async function freePorts(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const first = 20_000 + 2 * Math.floor(Math.random() * 20_000);
    const taken = await Promise.all(Array.from({ length: PORTS }, (_, i) => isTaken(first + i)));
    if (!taken.includes(true)) return first;
  }
  throw new ClientError("no-free-port", "No UDP ports are free.");
}

/** A session description (RFC 8866) in a file that only its owner can read, until `remove`. */
export function sdpFile(sdp: string): { readonly path: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "kinora-"));
  const path = join(folder, "stream.sdp");
  writeFileSync(path, sdp, { mode: 0o600, flag: "wx" });
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Waits until some program listens on the port, so that nothing of the beginning is lost; 5 s at most. */
export async function untilListening(port: number, signal: AbortSignal): Promise<void> {
  const until = performance.now() + LISTEN_MS;
  const blindUntil = performance.now() + BLIND_MS;
  while (!signal.aborted && performance.now() < until) {
    const listening = listens(port);
    if (listening || (listening === null && performance.now() > blindUntil)) return;
    await Bun.sleep(POLL_MS);
  }
}

/** Linux tells in /proc; null where nothing does. */
function listens(port: number): boolean | null {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")} `;
  const tables = ["/proc/net/udp", "/proc/net/udp6"].map(readable).filter((table) => table !== null);
  if (tables.length === 0) return null;
  return tables.some((table) => table.split("\n").some((line) => line.split(/\s+/)[2]?.concat(" ").endsWith(wanted)));
}

function readable(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
