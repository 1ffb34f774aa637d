import { expect, test } from "bun:test";
import { join } from "node:path";
import { type FuzzOptions, fuzz } from "./fuzz.ts";
import { reportOf } from "./report.ts";

const long = process.env.KINORA_TEST_LONG === "1";
const options: FuzzOptions = long
  ? {
      seed: Number(process.env.KINORA_FUZZ_SEED ?? Date.now() % 2 ** 31),
      executions: Number.MAX_SAFE_INTEGER,
      seconds: Number(process.env.KINORA_FUZZ_SECONDS ?? 3600),
      guided: true,
    }
  : { seed: 1, executions: 20_000, seconds: 60, guided: false };

test(
  "no damaged input crashes, hangs, reads outside itself, takes too much, or is answered wrongly",
  async () => {
    if (long) console.log(`Fuzzing for ${options.seconds} s with seed ${options.seed}`);
    const result = await fuzz(options);
    if (long) {
      const date = new Date().toISOString().slice(0, 10);
      const report = reportOf(date, options, result);
      console.log(report);
      await Bun.write(join(import.meta.dir, "..", "..", "bench", "results", `fuzz-${date}.md`), report);
    }
    const failures = result.failures.map(({ target, message, path }) => `${target}: ${message}\n  ${path}`);
    expect(failures).toEqual([]);
    expect(result.executions).toBeGreaterThan(result.seeds);
  },
  (options.seconds + 120) * 1000,
);
