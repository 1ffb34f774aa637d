/** The process that runs the inputs; `fuzz.ts` starts it, watches it, and starts it again when it hangs. */
import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { bounds, countAllocations, Violation } from "./checks.ts";
import { Coverage, type CoverageSummary } from "./coverage.ts";
import { mutate } from "./mutate.ts";
import { Random } from "./random.ts";
import { type TargetName, targetNames, targetOf, targets } from "./targets.ts";

export interface WorkerOptions {
  readonly seed: number;
  /** Number of the first execution. */
  readonly first: number;
  /** It ends after this one, or at this time, whichever comes first. */
  readonly end: number;
  readonly endMs: number;
  /** Files to start from: each runs as it is first. */
  readonly seeds: readonly string[];
  /** Where inputs are kept that reach new branches; null: none are kept. */
  readonly keepIn: string | null;
  /** Holds a line with the target and the number of the execution, then the input that runs. */
  readonly currentPath: string;
}

export interface Failure {
  readonly target: string;
  readonly message: string;
  readonly input: Uint8Array;
}

export type WorkerMessage =
  | { readonly type: "progress"; readonly executions: number }
  | ({ readonly type: "failure" } & Failure)
  | {
      readonly type: "done";
      readonly executions: number;
      readonly kept: number;
      readonly coverage: CoverageSummary | null;
    };

const reportEveryMs = 250;
const maxMs = 1000;
/** Kept inputs larger than this would slow down everything that follows. */
const maxKeptBytes = 2 ** 17;
const maxSignature = 40;

/** Milliseconds of this process's own work: what else the machine does does not count. */
function workedMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

const residentPages = () => Number(readFileSync("/proc/self/statm", "latin1").split(" ")[1]);
const pageBytes = 4096;

/** Bytes that this process has in memory; the peak of it is counted anew from here on (`proc_pid_clear_refs(5)`). */
function startPeak(): number {
  writeFileSync("/proc/self/clear_refs", "5");
  return residentPages() * pageBytes;
}

/** The most bytes that this process had in memory since `startPeak`. */
function peakBytes(): number {
  const [, kibibytes = "0"] = /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "latin1")) ?? [];
  return Number(kibibytes) * 1024;
}

/** Runs one input; what is wrong, or null. */
async function judge(target: TargetName, input: Uint8Array): Promise<string | null> {
  const began = workedMs();
  try {
    await targets[target].exercise(input);
  } catch (error) {
    return error instanceof Violation ? error.message : stackOf(error);
  }
  const took = workedMs() - began;
  return took > maxMs ? `took ${Math.round(took)} ms for ${input.length} bytes` : null;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${String(error)}`;
  const frames = (error.stack ?? "").split("\n").filter((line) => line.includes("/src/media/"));
  return [`threw ${error.name}: ${error.message}`, ...frames.slice(0, 4)].join("\n");
}

interface Input {
  readonly target: TargetName;
  readonly bytes: Uint8Array;
}

class Fuzzer {
  readonly #options: WorkerOptions;
  readonly #coverage: Coverage | null;
  readonly #corpus: Record<TargetName, Uint8Array[]>;
  readonly #current: number;
  readonly #signatures = new Set<string>();
  #executions: number;
  #kept = 0;
  #reported = performance.now();

  constructor(options: WorkerOptions, coverage: Coverage | null) {
    this.#options = options;
    this.#coverage = coverage;
    this.#executions = options.first;
    this.#corpus = Object.fromEntries(targetNames.map((name) => [name, []])) as never;
    this.#current = openSync(options.currentPath, "w");
  }

  async run(): Promise<void> {
    const { seeds, end, endMs } = this.#options;
    for (const [i, path] of seeds.entries()) {
      const target = targetOf(path);
      if (target === null) continue;
      const bytes = await Bun.file(path).bytes();
      this.#corpus[target].push(bytes);
      if (i >= this.#options.first) await this.#execute({ target, bytes });
      else this.#coverage?.takeNews();
    }
    while (this.#executions < end && Date.now() < endMs) await this.#execute(this.#next());
    closeSync(this.#current);
    const coverage = this.#coverage?.summary() ?? null;
    await send({ type: "done", executions: this.#executions, kept: this.#kept, coverage });
  }

  /** The same input for the same number of execution, seed and corpus. */
  #next(): Input {
    const random = new Random(this.#options.seed, this.#executions);
    const target = random.pick(targetNames.filter((name) => this.#corpus[name].length > 0)) ?? "mp4";
    const corpus = this.#corpus[target];
    const none = new Uint8Array(0);
    const bytes = mutate(random.pick(corpus) ?? none, random.pick(corpus) ?? none, targets[target].format, random);
    return { target, bytes };
  }

  async #execute({ target, bytes }: Input): Promise<void> {
    this.#note(target, bytes);
    const before = startPeak();
    let message = await judge(target, bytes);
    // The first of its kind pays for compilation: only what is slow again is slow.
    if (message?.startsWith("took ")) message = await judge(target, bytes);
    message ??= await this.#judgeMemory(target, bytes, before);
    if (message !== null) await this.#report(target, bytes, message);
    if (this.#coverage?.takeNews()) await this.#keep(target, bytes);
    this.#executions++;
    if (performance.now() - this.#reported < reportEveryMs) return;
    this.#reported = performance.now();
    await send({ type: "progress", executions: this.#executions });
  }

  /** Left behind for whoever finds this process hanging or dead. */
  #note(target: TargetName, bytes: Uint8Array): void {
    const name = new TextEncoder().encode(`${target} ${this.#executions}\n`);
    writeSync(this.#current, name, 0, name.length, 0);
    writeSync(this.#current, bytes, 0, bytes.length, name.length);
    ftruncateSync(this.#current, name.length + bytes.length);
  }

  /** Memory that the process takes in one execution, and takes again in a second one when nothing else is in the way. */
  async #judgeMemory(target: TargetName, bytes: Uint8Array, before: number): Promise<string | null> {
    const bound = bounds.residentBytes(bytes.length);
    if (peakBytes() - before <= bound) return null;
    // The garbage of others, the mutation itself and compilation are not the input's fault.
    Bun.gc(true);
    const again = startPeak();
    await judge(target, bytes);
    const grown = peakBytes() - again;
    return grown > bound ? `took ${grown} more bytes of memory for ${bytes.length}` : null;
  }

  async #report(target: TargetName, bytes: Uint8Array, message: string): Promise<void> {
    // The beginning of what is said and where it was thrown: the same fault shows in many words.
    const [said = "", thrownAt = ""] = message.replaceAll(/\d+/g, "#").split("\n");
    const signature = `${target} ${said.slice(0, maxSignature)} ${thrownAt}`;
    if (this.#signatures.has(signature)) return;
    this.#signatures.add(signature);
    await send({ type: "failure", target, message, input: bytes });
  }

  async #keep(target: TargetName, bytes: Uint8Array): Promise<void> {
    const { keepIn, seeds } = this.#options;
    if (this.#executions < seeds.length || bytes.length > maxKeptBytes) return;
    this.#corpus[target].push(bytes);
    this.#kept++;
    if (keepIn === null) return;
    const name = `${Bun.hash(bytes).toString(16)}.${targets[target].extensions[0]}`;
    await Bun.write(join(keepIn, name), bytes);
  }
}

async function send(message: WorkerMessage): Promise<void> {
  process.send?.(message);
  // Lets the message leave before the next input holds up the process.
  await Bun.sleep(0);
}

if (import.meta.main) {
  countAllocations();
  const coverage = await Coverage.start();
  await new Fuzzer((await Bun.stdin.json()) as WorkerOptions, coverage).run();
}
