/**
 * `npm run bench [names…]`: measures and prints, against the budgets of the design. `--save` writes the table to
 * `bench/results/`. Run it alone: everything on the machine shares its cores.
 */
import { cpus } from "node:os";
import { join } from "node:path";
import { ensureDebianPackages } from "../test/support/debian.ts";
import { benchBus } from "./bus.ts";
import { benchCosts } from "./costs.ts";
import { benchFirstPlay } from "./first-play.ts";
import { benchIndexBuild } from "./index-build.ts";
import { benchPackager } from "./packager.ts";
import { benchPages } from "./pages.ts";
import { benchReindex } from "./reindex.ts";
import { benchRtsp, benchRtspMany, rtspPackages } from "./rtsp.ts";
import { benchScale, scalePackages } from "./scale.ts";
import { benchScan } from "./scan.ts";
import { benchSearch } from "./search.ts";
import { benchServing } from "./serving.ts";
import { benchStalled } from "./stalled.ts";
import { benchStart } from "./start.ts";
import { type Figure, tableOf } from "./support/report.ts";
import { benchUpload } from "./upload.ts";

const benches: Readonly<Record<string, () => Promise<Figure[]>>> = {
  start: benchStart,
  serving: benchServing,
  stalled: benchStalled,
  packager: benchPackager,
  index: benchIndexBuild,
  "first-play": benchFirstPlay,
  search: benchSearch,
  reindex: benchReindex,
  upload: benchUpload,
  pages: benchPages,
  scan: benchScan,
  bus: benchBus,
  scale: benchScale,
  costs: benchCosts,
  rtsp: benchRtsp,
  "rtsp-many": benchRtspMany,
};

const args = Bun.argv.slice(2);
const chosen = args.filter((arg) => !arg.startsWith("--"));
const missing = await ensureDebianPackages({
  ffmpeg: "ffmpeg",
  nginx: "nginx-light",
  wrk: "wrk",
  chromium: "chromium",
  "nats-server": "nats-server",
  ...rtspPackages,
  ...scalePackages,
});
if (missing.length > 0) throw new Error(`Install these first: apt-get install -y ${missing.join(" ")}`);

const figures: Figure[] = [];
for (const [name, bench] of Object.entries(benches)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  console.error(`${name} …`);
  figures.push(...(await bench()));
}
const date = new Date().toISOString().slice(0, 10);
const machine = `${cpus().length} cores (${cpus()[0]?.model ?? "unknown"}), Bun ${Bun.version}`;
const report = `# Figures of ${date}\n\n${machine}. Medians of at least 5 runs; peers ran in turn with Kinora.\n\n${tableOf(figures)}\n`;
console.log(report);
if (args.includes("--save")) await Bun.write(join(import.meta.dir, "results", `${date}.md`), report);
