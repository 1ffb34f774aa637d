/** How a video is offered to a player. */
export type Protocol = "hls" | "dash";

/** What ffprobe says of the file that was uploaded. */
export interface OriginalFacts {
  /** Of the picture and of all sound: families as in a title. */
  readonly codecs: readonly string[];
  readonly durationSeconds: number;
  readonly pictures: number;
  /** From the first picture to the last one. */
  readonly picturesEndSeconds: number;
  /** Seconds between two pictures that follow each other, at most. */
  readonly longestStepSeconds: number;
  /** By how much the first packet of sound comes after the first picture; null without sound. */
  readonly soundAfterPictureSeconds: number | null;
}

/** What a player is to do. */
export interface Task {
  readonly url: string;
  readonly protocol: Protocol;
  readonly original: OriginalFacts;
  /** Where to seek, in seconds, in this order. */
  readonly seeks: readonly number[];
  /** Complaints that the original causes as well. */
  readonly explained: readonly RegExp[];
}

/** What came of it: empty when there is nothing to complain about. */
export type Complaints = readonly string[];

/** Random numbers from 0 to 1 that are the same every time (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** So many places where there are both picture and sound, not shortly before the end. */
export function randomSeeks(seed: string, original: OriginalFacts, count: number): number[] {
  const random = randomFrom(Bun.hash.crc32(seed));
  const first = Math.abs(original.soundAfterPictureSeconds ?? 0);
  const last = Math.max(first, Math.min(original.durationSeconds, original.picturesEndSeconds) - 1);
  return Array.from({ length: count }, () => Math.round((first + random() * (last - first)) * 1000) / 1000);
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly errors: string;
  readonly seconds: number;
}

/** Runs a program that must come to an end within `timeoutMs`. */
export async function runProgram(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
  timeoutMs = 60_000,
): Promise<Ran> {
  const started = performance.now();
  const child = Bun.spawn([...command], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  const [out, errors, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out, errors, seconds: (performance.now() - started) / 1000 };
}

/** The lines of a log that none of the patterns explains. */
export function unexplained(log: string, explained: readonly RegExp[]): string[] {
  const lines = log.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "" && !explained.some((pattern) => pattern.test(line)));
}
