import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuSecondsOf } from "../../bench/support/process.ts";
import { encodeIndex } from "../../src/media/index-file.ts";
import { openMedia } from "../../src/media/open.ts";
import { fixture, fixtureNames } from "../support/fixtures.ts";
import { bytesSource } from "../support/packets.ts";
import type { CoverageSummary } from "./coverage.ts";
import { targetOf } from "./targets.ts";
import type { Failure, WorkerMessage, WorkerOptions } from "./worker.ts";

/** Inputs kept in the repository: small files of every kind, and each that once failed. */
export const corpusFolder = join(import.meta.dir, "corpus");
const cache = join(import.meta.dir, "..", "..", ".cache", "fuzz");
/** Inputs that long runs found to reach new branches. */
export const keptFolder = join(cache, "corpus");
export const failureFolder = join(cache, "failures");
/** Fixtures larger than this would take most of the time. */
const maxFixtureBytes = 320 * 1024;
/** Seconds of work after which a worker that tells nothing hangs; it reports four times a second. */
const watchdogSeconds = 10;
/** Seconds without any work after which it waits for something that never comes. */
const idleSeconds = 120;

export interface FuzzOptions {
  readonly seed: number;
  readonly executions: number;
  readonly seconds: number;
  /** Counts branches and keeps inputs that reach new ones: slower, for long runs. */
  readonly guided: boolean;
}

export interface FuzzResult {
  readonly executions: number;
  readonly seeds: number;
  readonly corpusBytes: number;
  readonly kept: number;
  readonly seconds: number;
  readonly failures: readonly (Failure & { readonly path: string })[];
  readonly coverage: CoverageSummary | null;
}

/** The files to start from: those kept in the repository; for a long run also fixtures, and what long runs kept. */
async function seedPaths(guided: boolean): Promise<string[]> {
  const listed = (folder: string) =>
    readdirSync(folder)
      .filter((name) => targetOf(name) !== null)
      .toSorted()
      .map((name) => join(folder, name));
  if (!guided) return listed(corpusFolder);
  mkdirSync(keptFolder, { recursive: true });
  const made: string[] = [];
  for (const name of fixtureNames) if (targetOf(name) !== null) made.push(await fixture(name));
  const small = made.filter((path) => statSync(path).size <= maxFixtureBytes);
  return [...listed(corpusFolder), ...small, ...listed(keptFolder)];
}

/** Index files of this version of the packager, for every kept file that has an index. */
async function indexSeeds(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for (const name of readdirSync(corpusFolder)) {
    const source = bytesSource(await Bun.file(join(corpusFolder, name)).bytes());
    const opened = await openMedia(source).catch(() => null);
    if (!opened?.presentation) continue;
    const path = join(folder, `${name}.index`);
    await Bun.write(path, encodeIndex(opened.presentation));
    paths.push(path);
  }
  return paths.toSorted();
}

/** Runs inputs until the executions or the seconds are over; a worker that hangs or dies is a failure, and replaced. */
export async function fuzz({ seed, executions, seconds, guided }: FuzzOptions): Promise<FuzzResult> {
  const folder = mkdtempSync(join(tmpdir(), "kinora-fuzz-"));
  const began = Date.now();
  const failures: (Failure & { path: string })[] = [];
  try {
    const seeds = [...(await seedPaths(guided)), ...(await indexSeeds(folder))];
    for (let first = 0; ; ) {
      const options = { seed, first, end: executions, endMs: began + seconds * 1000, seeds };
      const currentPath = join(folder, "current");
      const run = await runWorker({ ...options, keepIn: guided ? keptFolder : null, currentPath }, guided);
      for (const failure of run.failures) failures.push({ ...failure, path: await save(failure) });
      if (run.done !== null) {
        const corpusBytes = seeds.reduce((sum, path) => sum + statSync(path).size, 0);
        const { executions: ran, kept, coverage } = run.done;
        return {
          executions: ran,
          seeds: seeds.length,
          corpusBytes,
          kept,
          seconds: (Date.now() - began) / 1000,
          failures,
          coverage,
        };
      }
      first = run.executions;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function save({ target, input }: Failure): Promise<string> {
  const path = join(failureFolder, `${target}-${Bun.hash(input).toString(16)}`);
  await Bun.write(path, input);
  return path;
}

interface Run {
  executions: number;
  readonly failures: Failure[];
  done: Extract<WorkerMessage, { type: "done" }> | null;
}

async function runWorker(options: WorkerOptions, guided: boolean): Promise<Run> {
  const run: Run = { executions: options.first, failures: [], done: null };
  let heard = { at: Date.now(), cpu: 0 };
  let hung = false;
  const child = Bun.spawn(commandOf(guided), {
    // Names of a large corpus are more than arguments hold.
    stdio: [Buffer.from(JSON.stringify(options)), "inherit", "inherit"],
    serialization: "advanced",
    ipc(message: WorkerMessage) {
      heard = { at: Date.now(), cpu: cpuSecondsOf(child.pid) };
      if (message.type === "failure") run.failures.push(message);
      else run.executions = message.executions;
      if (message.type === "done") run.done = message;
    },
  });
  const watchdog = setInterval(() => {
    const idle = (Date.now() - heard.at) / 1000 > idleSeconds;
    if (child.exitCode !== null || (!idle && cpuSecondsOf(child.pid) - heard.cpu < watchdogSeconds)) return;
    hung = true;
    child.kill("SIGKILL");
  }, 500);
  const code = await child.exited;
  clearInterval(watchdog);
  if (run.done !== null) return run;
  const { execution, ...failure } = lastInput(options, hung ? "hangs" : `the process ended with code ${code}`);
  return { ...run, executions: execution + 1, failures: [...run.failures, failure] };
}

const commandOf = (guided: boolean) => [
  // An hour of it leaves the machine to others.
  ...(guided ? ["nice", "-n", "15"] : []),
  process.execPath,
  ...(guided ? ["--preload", join(import.meta.dir, "instrument.ts")] : []),
  join(import.meta.dir, "worker.ts"),
];

function lastInput({ currentPath }: WorkerOptions, message: string): Failure & { readonly execution: number } {
  const bytes = readFileSync(currentPath);
  const line = bytes.indexOf(10);
  const [target = "", execution = ""] = bytes.toString("latin1", 0, line).split(" ");
  return { target, execution: Number(execution), message, input: new Uint8Array(bytes.subarray(line + 1)) };
}
