import { statSync } from "node:fs";
import { ConfigError } from "../config/errors.ts";
import type { Config } from "../config/schema.ts";
import { isLoopback } from "../config/values.ts";
import { StartError } from "../errors.ts";
import { lanAddresses } from "../http/addresses.ts";
import { type Kinora, startKinora } from "../main.ts";
import { createLog } from "./log.ts";
import { EXIT_CONFIGURATION, loadOrExit, refuse, type SettingOptions } from "./settings.ts";

const EXIT_FAILURE = 1;

/** After this long a stop that hangs is cut short. */
const STOP_LIMIT_MS = 9_500;

/** `kinora serve`: starts Kinora, says where it is, and stops it on SIGINT, SIGTERM or SIGHUP. */
export async function serve(folders: readonly string[], options: SettingOptions): Promise<void> {
  for (const folder of folders) {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) continue;
    console.error(`There is no folder ${folder}. (kinora --help shows the commands.)`);
    process.exit(EXIT_CONFIGURATION);
  }
  const { config } = await loadOrExit(options, folders);
  const log = createLog(config.log.level);
  let kinora: Kinora | null = null;
  let stopping = false;
  const stop = () => {
    if (stopping || !kinora) process.exit(EXIT_FAILURE);
    stopping = true;
    console.log("Stopping; running answers may end. Press Ctrl+C again to stop at once.");
    setTimeout(() => process.exit(EXIT_FAILURE), STOP_LIMIT_MS).unref();
    kinora.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, "could not stop cleanly");
        process.exit(EXIT_FAILURE);
      },
    );
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  // One request's mistake must not end everybody's playback; it is a bug all the same, and is logged as one.
  process.on("unhandledRejection", (error) => log.error({ err: error }, "a failure that nobody handled"));
  kinora = await startKinora(config, { log }).catch(explain);
  console.log(startMessage(config, kinora));
}

/** Says in a line or two why Kinora cannot start, and ends the process. */
function explain(error: unknown): never {
  if (error instanceof ConfigError) refuse(error);
  if (error instanceof StartError) console.error(`Kinora cannot start: ${error.message}\n${error.hint}`);
  else console.error("Kinora cannot start, and this looks like a mistake in it:", error);
  process.exit(EXIT_FAILURE);
}

function startMessage(config: Config, { url, addresses, firstAdminCode }: Kinora): string {
  const lines = ["", `  Kinora is at  ${config.publicUrl?.origin ?? url}`];
  for (const address of addresses)
    if (address !== (config.publicUrl?.origin ?? url)) lines.push(`          and  ${address}`);
  if (firstAdminCode) lines.push("", `  The first account, which is the admin's, takes this code:  ${firstAdminCode}`);
  lines.push("", ...networkHint(config), `  Data          ${config.data}`);
  for (const { path } of config.library.folders) lines.push(`  Library       ${path}`);
  return `${lines.join("\n")}\n`;
}

/** How whoever reads the start message starts Kinora: the executable's files lie in a place of Bun's own. */
const command = import.meta.path.startsWith("/$bunfs/") ? "kinora" : "npm start --";

function networkHint({ listen, publicUrl, registration }: Config): string[] {
  if (!isLoopback(listen.host))
    return ["  By name it answers only to this machine's and `publicUrl`'s. `allowedHosts` adds others.", ""];
  if (publicUrl) {
    return registration === "open" && !isLoopback(publicUrl.hostname)
      ? ["  Anybody who reaches it may create an account. `registration: invite` changes that.", ""]
      : [];
  }
  const port = listen.port;
  const [lan] = lanAddresses();
  const there = lan ? ` at http://${lan}:${port}` : "";
  return [
    `  Only this machine reaches it. To open it to your network${there}:`,
    `  ${command} --listen 0.0.0.0:${port} --set registration=invite`,
    `  (or KINORA_LISTEN=0.0.0.0:${port} and KINORA_REGISTRATION=open, invite or closed)`,
    "",
  ];
}
