/**
 * Writes what is generated: docs/configuration.md and kinora.example.yaml from the configuration's schema,
 * docs/data-model.md from the database's, what edge proxies route by from the contracts.
 */
import { join } from "node:path";
import { referencePage, sampleFile } from "../src/config/reference.ts";
import { dataModelPage } from "./data-model.ts";
import { generatedEdges } from "./edges.ts";

const root = join(import.meta.dir, "..");
await Bun.write(join(root, "docs/configuration.md"), referencePage());
await Bun.write(join(root, "kinora.example.yaml"), sampleFile());
await Bun.write(join(root, "docs/data-model.md"), await dataModelPage());
for (const [path, text] of Object.entries(generatedEdges())) await Bun.write(join(root, path), text);
