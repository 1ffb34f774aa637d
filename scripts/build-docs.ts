/** Writes what is generated from the configuration's schema: docs/configuration.md and kinora.example.yaml. */
import { join } from "node:path";
import { referencePage, sampleFile } from "../src/config/reference.ts";

const root = join(import.meta.dir, "..");
await Bun.write(join(root, "docs/configuration.md"), referencePage());
await Bun.write(join(root, "kinora.example.yaml"), sampleFile());
