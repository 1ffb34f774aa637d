import { expect, test } from "bun:test";
import { dirname, join, relative } from "node:path";

const services = ["main", "auth", "catalog", "upload", "streaming"];
const root = join(import.meta.dir, "..", "src");

/** The area a file belongs to: `media`, `rtsp`, `adapters`, a service, or the file itself at the top. */
const areaOf = (file: string) => file.split("/")[0] ?? file;

/** What each area may import of ours, beside itself. A service's `contract.ts` is its own kind: `contract`. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  media: [],
  rtp: ["media"],
  rtsp: ["errors.ts", "network.ts", "media", "rtp"],
  "errors.ts": [],
  "network.ts": [],
  "turns.ts": [],
  "version.ts": ["package.json"],
  bus: ["errors.ts", "version.ts", "contract"],
  http: ["errors.ts", "version.ts", "contract", "identity", "service.ts", "bus"],
  identity: ["errors.ts", "contract", "bus"],
  "service.ts": ["http", "bus"],
  config: ["errors.ts"],
  cli: ["config", "errors.ts", "bus", "http", "main.ts"],
  contract: ["contract", "bus"],
  ...Object.fromEntries(
    services.map((service) => [
      service,
      [
        "errors.ts",
        "network.ts",
        "lazy.ts",
        "turns.ts",
        "service.ts",
        "contracts.ts",
        "bus",
        "http",
        "identity",
        "contract",
        "media",
        "rtp",
        "rtsp",
      ],
    ]),
  ),
  adapters: ["errors.ts", "bus", "contract", "port", "media"],
  web: ["contract"],
  client: ["config", "contract", "version.ts"],
};

/** The composition root and the entry points: they import everything. */
const everything = ["main.ts", "composition", "kinora.ts", "contracts.ts"];

const kindOf = (file: string) => {
  if (services.includes(areaOf(file)) && file.endsWith("/contract.ts")) return "contract";
  return areaOf(file);
};

/** Ports live in the services; an adapter may import the types it implements, never run the service's code. */
const isPort = (file: string, typeOnly: boolean) => services.includes(areaOf(file)) && typeOnly;

async function importsOf(path: string) {
  const text = await Bun.file(path).text();
  const pattern = /^(?:import|export)\s+(type\s)?[^;]*?from\s+"(\.[^"]+)"/gm;
  return [...text.matchAll(pattern)].map((match) => ({ typeOnly: match[1] !== undefined, target: match[2] ?? "" }));
}

test("every import follows the dependency rule", async () => {
  const wrong: string[] = [];
  for await (const file of new Bun.Glob("**/*.{ts,tsx}").scan(root)) {
    if (/\.(test|suite)\.tsx?$/.test(file) || everything.includes(areaOf(file))) continue;
    const from = kindOf(file);
    for (const { typeOnly, target } of await importsOf(join(root, file))) {
      const imported = relative(root, join(root, dirname(file), target)).replace(/^\.\.\/(package\.json)$/, "$1");
      const to = kindOf(imported);
      if (to === from && areaOf(imported) === areaOf(file)) continue;
      if (from === "adapters" && isPort(imported, typeOnly)) continue;
      if (services.includes(from) && to === "contract") continue;
      if (!(allowed[from] ?? []).includes(to)) wrong.push(`${file} imports ${imported}`);
    }
  }
  expect(wrong).toEqual([]);
});
