/** A network namespace: what runs in it is on a machine of its own, as far as the network goes. */
export interface Namespace {
  /** Its IPv4 address. */
  readonly address: string;
  /** What a command begins with to run there. */
  readonly command: readonly string[];
  /** Nothing goes in or out any more, and nobody is told: connections hang. */
  cut(): void;
  mend(): void;
}

const HOST_MAC = "02:4b:69:6e:6f:01";
const macOf = (n: number) => `02:4b:69:6e:6f:${n.toString(16).padStart(2, "0")}`;

const ip = (...args: string[]) => {
  const { exitCode, stderr } = Bun.spawnSync(["ip", ...args], { stdout: "ignore", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr.toString().trim()}`);
};

/** Namespaces that reach each other, and this machine, over a bridge. It takes the rights of root. */
export class TestNetwork {
  /** This machine, as the namespaces reach it. */
  readonly host: string;
  readonly #bridge: string;
  readonly #subnet: string;
  readonly #names: string[] = [];
  readonly #clean = () => this.close();

  private constructor() {
    this.#subnet = `10.213.${process.pid % 250}`;
    this.#bridge = `kb${process.pid}`;
    this.host = `${this.#subnet}.1`;
  }

  /** Null where it is not permitted. */
  static open(): TestNetwork | null {
    const network = new TestNetwork();
    try {
      // With an address of its own: it would take that of one port or another.
      ip("link", "add", network.#bridge, "address", HOST_MAC, "type", "bridge");
      ip("addr", "add", `${network.host}/24`, "dev", network.#bridge);
      ip("link", "set", network.#bridge, "up");
      network.add();
      process.on("exit", network.#clean);
      return network;
    } catch {
      network.close();
      return null;
    }
  }

  add(): Namespace {
    const n = this.#names.length + 2;
    const name = `kinora-${process.pid}-${n}`;
    const [outside, address] = [`kv${process.pid}n${n}`, `${this.#subnet}.${n}`];
    this.#names.push(name);
    ip("netns", "add", name);
    ip("link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", name);
    ip("link", "set", outside, "master", this.#bridge, "up");
    const inside = (...args: string[]) => ip("-n", name, ...args);
    inside("link", "set", "eth0", "address", macOf(n));
    inside("addr", "add", `${address}/24`, "dev", "eth0");
    inside("link", "set", "eth0", "up");
    inside("link", "set", "lo", "up");
    this.#introduce(name, n);
    return {
      address,
      command: ["ip", "netns", "exec", name],
      cut: () => ip("link", "set", outside, "down"),
      mend: () => ip("link", "set", outside, "up"),
    };
  }

  close(): void {
    process.off("exit", this.#clean);
    for (const name of this.#names.splice(0)) {
      Bun.spawnSync(["ip", "netns", "del", name], { stderr: "ignore" });
    }
    Bun.spawnSync(["ip", "link", "del", this.#bridge], { stderr: "ignore" });
  }

  /** All know each other's hardware address for ever: who is cut off is not found to be missing, but silent. */
  #introduce(name: string, n: number): void {
    const know = (where: readonly string[], address: string, mac: string, device: string) =>
      ip(...where, "neigh", "replace", address, "lladdr", mac, "nud", "permanent", "dev", device);
    know([], `${this.#subnet}.${n}`, macOf(n), this.#bridge);
    know(["-n", name], this.host, HOST_MAC, "eth0");
    for (const [at, other] of this.#names.entries()) {
      if (other === name) continue;
      know(["-n", name], `${this.#subnet}.${at + 2}`, macOf(at + 2), "eth0");
      know(["-n", other], `${this.#subnet}.${n}`, macOf(n), "eth0");
    }
  }
}
