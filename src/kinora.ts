#!/usr/bin/env bun
import { Command } from "commander";
import { configSchema } from "./config/schema.ts";
import { startKinora } from "./main.ts";

const program = new Command("kinora").description("Self-hosted video streaming.");

program
  .command("serve", { isDefault: true })
  .description("start Kinora")
  .argument("[folders...]", "folders whose videos join the library")
  .action(async (folders: string[]) => {
    const config = configSchema.parse({
      listen: process.env.KINORA_LISTEN,
      data: process.env.KINORA_DATA,
      library: { folders: folders.map((path) => ({ path })) },
    });
    const kinora = await startKinora(config);
    console.log(`Kinora is at ${kinora.url}`);
    const stop = () => void kinora.close().then(() => process.exit(0));
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
  });

await program.parseAsync();
