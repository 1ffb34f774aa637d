import { join } from "node:path";
import type { IndexBuild } from "./support/index-once.ts";
import { liveMatroska, manySamples, transportStream, twoHours, twoHoursMatroska } from "./support/media.ts";
import { median } from "./support/process.ts";
import { against, type Figure, figure } from "./support/report.ts";

const RUNS = 5;

/** What an index costs: time in a fresh process, size, and how long others wait for their turn meanwhile. */
export async function benchIndexBuild(): Promise<Figure[]> {
  return [
    ...(await figuresOf("2 h / 5 GB MP4", await twoHours())),
    ...(await figuresOf("2 h / 5 GB MKV with cues", await twoHoursMatroska())),
    ...(await figuresOf("20 min / 0.9 GB MKV without cues", await liveMatroska())),
    ...(await figuresOf("20 min / 1 GB MPEG-TS", await transportStream())),
    ...(await figuresOf("MP4 of 4 million samples, each of its own chunk and duration", await manySamples())),
  ];
}

async function figuresOf(what: string, path: string): Promise<Figure[]> {
  const builds: IndexBuild[] = [];
  for (let run = 0; run < RUNS; run++) builds.push(await build(path));
  const { bytes = null, samples = null } = builds[0] ?? {};
  if (bytes === null) return [figure(`index of a ${what}`, "not packaged")];
  const of = (value: (build: IndexBuild) => number) => median(builds.map(value));
  return [
    figure(`index of a ${what}: time to build, fresh process`, `${of(({ ms }) => ms).toFixed(0)} ms`),
    figure(`index of a ${what}: size`, `${(bytes / 1024).toFixed(0)} KiB`),
    ...(samples === null
      ? []
      : [against(`index of a ${what}: bytes of a sample`, bytes / samples, "bytes", { atMost: 12 })]),
    against(
      `index of a ${what}: longest hold of the event loop`,
      of((one) => one.longestHoldMs),
      "ms",
      { atMost: 50 },
    ),
  ];
}

async function build(path: string): Promise<IndexBuild> {
  const script = join(import.meta.dir, "support", "index-once.ts");
  const child = Bun.spawn([process.execPath, script, path], { stdio: ["ignore", "pipe", "inherit"] });
  return (await new Response(child.stdout).json()) as IndexBuild;
}
