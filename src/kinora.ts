#!/usr/bin/env bun
import { Command } from "commander";
import { loadConfig } from "./config/load.ts";
import { startKinora } from "./main.ts";

const program = new Command("kinora").description("Self-hosted video streaming.");

program
  .command("serve", { isDefault: true })
  .description("start Kinora")
  .argument("[folders...]", "folders whose videos join the library")
  .action(async (folders: string[]) => {
    const { config } = await loadConfig({ folders });
    const kinora = await startKinora(config);
    console.log(`Kinora is at ${kinora.url}`);
    const stop = () => void kinora.close().then(() => process.exit(0));
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
  });

await program.parseAsync();
