import { statSync } from "node:fs";
import { type ServiceName, serviceNames } from "../bus/contract.ts";
import type { Config } from "../config/schema.ts";
import { isLoopback } from "../config/values.ts";
import { lanAddresses } from "../http/addresses.ts";
import { type Kinora, startKinora } from "../main.ts";
import { EXIT_FAILURE, explain } from "./explain.ts";
import { createLog } from "./log.ts";
import { EXIT_CONFIGURATION, loadOrExit, type SettingOptions } from "./settings.ts";

/** After this long a stop that hangs is cut short. */
const STOP_LIMIT_MS = 9_500;

/** What `kinora serve` is given: names of services, all of them when there is none, and library folders. */
function readArguments(given: readonly string[]) {
  const isService = (text: string): text is ServiceName => serviceNames.some((name) => name === text);
  const services = given.filter(isService);
  const folders = given.filter((text) => !isService(text));
  const missing = folders.find((folder) => !statSync(folder, { throwIfNoEntry: false })?.isDirectory());
  if (missing !== undefined) exitWith(`There is no folder ${missing}. (kinora --help shows the commands.)`);
  if (folders.length > 0 && services.length > 0 && !services.includes("streaming"))
    exitWith(
      `${folders[0]} would not join the library: only streaming reads folders, and it is not among the services.`,
    );
  return { services: services.length > 0 ? services : serviceNames, folders };
}

function exitWith(message: string): never {
  console.error(message);
  process.exit(EXIT_CONFIGURATION);
}

/** `kinora serve`: starts Kinora, says where it is, and stops it on SIGINT, SIGTERM or SIGHUP. */
export async function serve(given: readonly string[], options: SettingOptions): Promise<void> {
  const { services, folders } = readArguments(given);
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
  kinora = await startKinora(config, { log, services }).catch(explain);
  console.log(startMessage(config, kinora));
}

function startMessage(config: Config, { url, addresses, rtspUrl, services, firstAdminCode }: Kinora): string {
  const whole = services.length === serviceNames.length;
  const who = whole ? "Kinora is at " : `${services.join(", ")} ${services.length > 1 ? "are" : "is"} at `;
  const lines = ["", `  ${who} ${config.publicUrl?.origin ?? url}`];
  for (const address of addresses)
    if (address !== (config.publicUrl?.origin ?? url)) lines.push(`          and  ${address}`);
  if (firstAdminCode) lines.push("", `  The first account, which is the admin's, takes this code:  ${firstAdminCode}`);
  lines.push("");
  if (config.nats === null) lines.push(...networkHint(config));
  if (services.some((name) => name !== "main")) lines.push(`  Data          ${config.data}`);
  if (rtspUrl) lines.push(`  RTSP          ${rtspUrl}`);
  for (const { path } of config.library.folders) lines.push(`  Library       ${path}`);
  return `${lines.join("\n")}\n`;
}

/** How whoever reads the start message starts Kinora: the executable's files lie in a place of Bun's own. */
const command = import.meta.path.startsWith("/$bunfs/") ? "kinora serve" : "npm start --";

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
