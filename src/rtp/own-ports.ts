import { networkInterfaces } from "node:os";

/**
 * UDP ports that this process sends from. A client on the same machine could name one of them, and would have Kinora talk
 * to itself: what it sends would come back as somebody's receiver reports.
 */
export class OwnPorts {
  readonly #ports = new Map<number, number>();

  /** Takes a port in; the result takes it out again. */
  add(port: number): () => void {
    this.#ports.set(port, (this.#ports.get(port) ?? 0) + 1);
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      const count = (this.#ports.get(port) ?? 1) - 1;
      if (count === 0) this.#ports.delete(port);
      else this.#ports.set(port, count);
    };
  }

  /** Whether `port` at `address` is one of ours. */
  has(address: string, port: number): boolean {
    return this.#ports.has(port) && isThisMachine(address);
  }
}

function isThisMachine(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, "");
  if (plain === "::1" || plain.startsWith("127.")) return true;
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some((own) => own.address === plain));
}
