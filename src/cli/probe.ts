import { connect } from "node:net";

/** How long one answer may take, in milliseconds. */
const TIMEOUT_MS = 3_000;
const AGAIN_MS = 200;
const NATS_PORT = 4222;

/**
 * `kinora probe`: exits with 0 when what is at `url` is ready, else with 1 and the reason. `http` and `https`: a
 * Kinora's `/readyz` unless the address has another path; `nats`: a broker. For health checks in images that hold nothing but the executable.
 * With `waitMs` it asks again until that time is over.
 */
export async function probe(url: string, waitMs = 0): Promise<void> {
  const deadline = performance.now() + waitMs;
  let said = await ask(url);
  while (!said.ready && performance.now() < deadline) {
    await Bun.sleep(AGAIN_MS);
    said = await ask(url);
  }
  if (said.ready) console.log(said.text);
  else console.error(said.text);
  process.exitCode = said.ready ? 0 : 1;
}

interface Said {
  readonly ready: boolean;
  readonly text: string;
}

async function ask(url: string): Promise<Said> {
  try {
    return url.startsWith("nats:") ? await askBroker(new URL(url)) : await askKinora(url);
  } catch (error) {
    return { ready: false, text: `${url} does not answer: ${error instanceof Error ? error.message : error}` };
  }
}

async function askKinora(url: string): Promise<Said> {
  // The certificate is for the name people use, not for this machine's own address.
  const isLocal = /^https:\/\/(127\.|localhost[:/]|\[::1\])/.test(url);
  const asked = new URL(url);
  if (asked.pathname === "/") asked.pathname = "/readyz";
  const answer = await fetch(asked, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
    redirect: "error",
    ...(isLocal ? { tls: { rejectUnauthorized: false } } : {}),
  });
  return { ready: answer.ok, text: `${answer.status} ${(await answer.text()).slice(0, 500)}` };
}

/** A broker says `INFO` to whoever connects. */
function askBroker({ hostname, port }: URL): Promise<Said> {
  const socket = connect({ host: hostname, port: Number(port) || NATS_PORT, timeout: TIMEOUT_MS });
  return new Promise<Said>((resolve, reject) => {
    socket.on("data", (data) => {
      const ready = data.toString("latin1").startsWith("INFO ");
      resolve({ ready, text: ready ? "a broker listens" : "what listens there is no broker" });
    });
    socket.on("timeout", () => reject(new Error(`nothing within ${TIMEOUT_MS} ms`)));
    socket.on("close", () => reject(new Error("it closed the connection")));
    socket.on("error", reject);
  }).finally(() => socket.destroy());
}
