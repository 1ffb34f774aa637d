import { readFileSync } from "node:fs";
import { join } from "node:path";
import { StartError } from "../errors.ts";

/** How long a nats-server that is about to end may take to leave its address. */
const LEAVING_MS = 2_000;
const LOOK_MS = 50;

const pidFile = (folder: string) => join(folder, "nats.pid");
const configFile = (folder: string) => join(folder, "nats.conf");

/**
 * The command of a nats-server whose configuration and process id are in this folder. It ends when this process does, killed or not,
 * where there is a `setpriv` that may do so (util-linux; on every Debian).
 */
export function natsServerCommand(program: string, folder: string): string[] {
  const server = [program, "-c", configFile(folder), "-P", pidFile(folder)];
  const setpriv = Bun.which("setpriv");
  if (process.platform !== "linux" || setpriv === null) return server;
  const bound = [setpriv, "--pdeathsig", "TERM", "--"];
  // A filter of system calls may forbid what it does, as our systemd unit's; systemd ends all processes of a unit together.
  const works = Bun.spawnSync([...bound, program, "--version"], { stdio: ["ignore", "ignore", "ignore"] }).success;
  return works ? [...bound, ...server] : server;
}

/** Throws `StartError` unless a server can listen there (`host:port`); waits a moment for one of ours that is about to end. */
export async function requireFree(listen: string, folder: string): Promise<void> {
  const address = URL.parse(`tcp://${listen}`);
  // What nats-server itself makes of it is its own to say.
  if (!address?.hostname || address.port === "") return;
  const until = performance.now() + LEAVING_MS;
  for (;;) {
    const failure = tryToListen(address);
    if (failure === null) return;
    const pid = natsServerOf(folder);
    if (pid === null || performance.now() > until) throw explained(listen, failure, pid);
    await Bun.sleep(LOOK_MS);
  }
}

function tryToListen({ hostname, port }: URL): { readonly cause: unknown } | null {
  try {
    const socket = { data: () => undefined };
    Bun.listen({ hostname: hostname.replace(/^\[|\]$/g, ""), port: Number(port), socket }).stop(true);
    return null;
  } catch (cause) {
    return { cause };
  }
}

/** The live nats-server that was started with this folder; null when there is none, or the system does not tell. */
function natsServerOf(folder: string): number | null {
  try {
    const pid = Number(readFileSync(pidFile(folder), "utf8"));
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return command.includes(configFile(folder)) ? pid : null;
  } catch {
    return null;
  }
}

function explained(listen: string, { cause }: { readonly cause: unknown }, pid: number | null): StartError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const hint = "Choose another address with --nats-listen, such as 127.0.0.1:4223.";
  if (code === "EADDRINUSE" && pid !== null) {
    const who = `the nats-server of another \`kinora broker\` with this data folder (process ${pid})`;
    return new StartError(`${listen} is in use by ${who}.`, `Stop it first: kill ${pid}`, { cause });
  }
  if (code === "EADDRINUSE")
    return new StartError(`${listen} is in use by another program.`, `Stop that one. ${hint}`, { cause });
  const why = code === "EACCES" ? "it takes more rights" : "this machine does not have that address";
  return new StartError(`The broker cannot listen on ${listen}: ${why} (${code ?? cause}).`, hint, { cause });
}
