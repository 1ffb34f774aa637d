import { connect, createServer, type Socket } from "node:net";

/** How often it asks whether a server takes new connections, and how long the answer may take. */
const CHECK_MS = 250;
const CHECK_WITHIN_MS = 4_000;
const CONNECT_MS = 1_000;

/** A load balancer for connections, such as HAProxy in TCP mode: in turn, to those that say they are ready. */
export interface Balancer {
  readonly url: string;
  close(): Promise<void>;
}

interface Target {
  readonly host: string;
  readonly port: number;
  /** Whether new connections go there. */
  ready: boolean;
  readonly sockets: Set<Socket>;
}

/** Stands in front of servers; those whose `/readyz?only=self` stays silent lose their connections. */
export async function startBalancer(urls: readonly string[]): Promise<Balancer> {
  const targets: Target[] = urls.map((url) => {
    const { hostname, port } = new URL(url);
    return { host: hostname, port: Number(port), ready: true, sockets: new Set() };
  });
  const check = async (target: Target) => {
    try {
      const signal = AbortSignal.timeout(CHECK_WITHIN_MS);
      const answer = await fetch(`http://${target.host}:${target.port}/readyz?only=self`, { signal, keepalive: false });
      target.ready = answer.ok;
    } catch (error) {
      target.ready = false;
      if (error instanceof Error && error.name === "TimeoutError")
        for (const socket of target.sockets) socket.destroy();
    }
  };
  let stopped = false;
  const checking = targets.map(async (target) => {
    while (!stopped) {
      await check(target);
      await Bun.sleep(CHECK_MS);
    }
  });
  let turn = 0;
  const all = new Set<Socket>();
  const inTurn = () => {
    turn++;
    const from = turn % targets.length;
    const ordered = [...targets.slice(from), ...targets.slice(0, from)];
    return [...ordered.filter(({ ready }) => ready), ...ordered.filter(({ ready }) => !ready)];
  };
  const server = createServer({ pauseOnConnect: true }, (client) => {
    all.add(client);
    client.on("close", () => all.delete(client));
    client.on("error", () => client.destroy());
    attach(client, inTurn());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the balancer has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      stopped = true;
      for (const socket of all) socket.destroy();
      await Promise.all([...checking, new Promise<void>((resolve) => server.close(() => resolve()))]);
    },
  };
}

/** Connects a client to the first that takes it. */
function attach(client: Socket, [target, ...others]: readonly Target[]): void {
  if (!target) return void client.destroy();
  const upstream = connect(target.port, target.host);
  let isConnected = false;
  const timer = setTimeout(() => upstream.destroy(), CONNECT_MS);
  upstream.on("connect", () => {
    isConnected = true;
    clearTimeout(timer);
    target.sockets.add(upstream);
    client.pipe(upstream);
    upstream.pipe(client);
  });
  upstream.on("error", () => upstream.destroy());
  upstream.on("close", () => {
    clearTimeout(timer);
    target.sockets.delete(upstream);
    if (isConnected) client.destroy();
    else attach(client, others);
  });
  client.on("close", () => upstream.destroy());
}
