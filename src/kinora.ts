#!/usr/bin/env bun
import { Command, CommanderError } from "commander";
import { addClientCommands, addInteractive } from "./client/commands.ts";
import { behindCommand } from "./client/leading-options.ts";
import { version } from "./version.ts";

/** The command line was not as it can be. */
const EXIT_USAGE = 2;
const isForProgram = process.argv.includes("--json");

const program = new Command("kinora")
  .description("Self-hosted video streaming: upload a video or point it at a folder, and watch at once.")
  .version(version, "-V, --version", "print the version")
  .helpOption("-h, --help", "print this help")
  .helpCommand("help [command]", "print the help of a command")
  .showHelpAfterError("(kinora --help shows what there is)")
  .configureOutput({
    writeErr: (text) => (isForProgram ? undefined : process.stderr.write(text)),
    // As all other problems are told.
    outputError: (text, write) => write(text.replace(/^error: /, "kinora: ")),
  })
  .exitOverride();

const settings = (command: Command) =>
  command
    .option("-c, --config <file>", "configuration file (else KINORA_CONFIG, else ./kinora.yaml when it is there)")
    .option("-l, --listen <host:port>", "where to listen, such as 0.0.0.0:8080")
    .option("-d, --data <folder>", "folder for the database and uploaded videos")
    .option(
      "-s, --set <key=value>",
      "set any key of the configuration, such as upload.maxSize=10GiB; may be repeated",
      (pair: string, before: string[] = []) => [...before, pair],
    );

program.commandsGroup("Server:");
settings(program.command("serve"))
  .summary("start Kinora")
  .description(
    "Starts Kinora: all of it in one process, or with a broker (`nats`) the services named. Every setting is described in docs/configuration.md.",
  )
  .argument("[services or folders...]", "main, auth, catalog, upload, streaming; folders whose videos join the library")
  .addHelpText(
    "after",
    "\nExamples:\n  kinora serve ~/Videos\n  kinora serve catalog streaming ~/Videos --set nats=nats://broker:4222\n  kinora serve --listen 0.0.0.0:8080 --set registration=invite",
  )
  .action(async (folders: string[], options) => {
    const { serve } = await import("./cli/serve.ts");
    await serve(folders, options);
  });

settings(program.command("config"))
  .summary("print the configuration in effect, and where each value comes from")
  .description("Prints every setting with its value and where it comes from. Secrets are hidden.")
  .action(async (options) => {
    const { printConfig } = await import("./cli/print-config.ts");
    await printConfig(options);
  });

program
  .command("probe")
  .summary("ask whether a Kinora is ready, for health checks")
  .description("Exits with 0 when the Kinora, or the broker, at this address is ready, else with 1.")
  .argument("[url]", "address of /readyz or /healthz, or nats://host:port", "http://127.0.0.1:8080/readyz")
  .option("-w, --wait <seconds>", "ask again until it is, for this long at most", "0")
  .action(async (url: string, { wait }: { wait: string }) => {
    const { probe } = await import("./cli/probe.ts");
    await probe(url, Number(wait) * 1_000 || 0);
  });

const brokerSettings = (command: Command) =>
  settings(command)
    .option("--nats-listen <host:port>", "where the broker listens")
    .option("--tls-cert <file>", "certificate (PEM) of the broker")
    .option("--tls-key <file>", "its key (PEM)");

brokerSettings(program.command("broker"))
  .summary("start the broker that services in several processes talk through")
  .description(
    "Starts nats-server, where it is installed, with a user for each service. Needs `secret` (KINORA_SECRET), the same for all.",
  )
  .action(async (options) => {
    const { broker } = await import("./cli/broker.ts");
    await broker(options);
  });

brokerSettings(program.command("nats-config"))
  .summary("print a nats-server configuration with a user for each service")
  .description(
    "Prints what a nats-server needs so that each service may do what its contract says and nothing else. Write it anew after each upgrade.",
  )
  .option("-o, --out <file>", "write it there instead (mode 0600)")
  .option("--credentials <file>", "take the passwords from there; made (mode 0600) when it is not there")
  .option("--store <folder>", "where the broker keeps events")
  .action(async (options) => {
    const { printNatsConfig } = await import("./cli/broker.ts");
    await printNatsConfig(options);
  });

program
  .command("version")
  .description("print the version")
  .action(() => console.log(version));

program.commandsGroup("Client, of a Kinora here or elsewhere (kinora alone: search and play at a terminal):");
addClientCommands(program);
addInteractive(program);

try {
  await program.parseAsync(behindCommand(process.argv.slice(2)), { from: "user" });
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  if (error.exitCode !== 0 && isForProgram) {
    const detail = error.message.replace(/^error: /, "");
    console.error(JSON.stringify({ code: "usage", detail, exitCode: EXIT_USAGE }, null, 2));
  }
  process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
}
