import { cpus } from "node:os";
import { type Figure, figure, tableOf } from "../../bench/support/report.ts";
import type { Share } from "./coverage.ts";
import type { FuzzOptions, FuzzResult } from "./fuzz.ts";

const percent = ({ covered, total }: Share) => `${((100 * covered) / total).toFixed(1)} % (${covered} of ${total})`;

/** What a long run did, as Markdown. */
export function reportOf(date: string, { seed, guided }: FuzzOptions, result: FuzzResult): string {
  const { executions, seconds, seeds, corpusBytes, kept, failures, coverage } = result;
  const figures: Figure[] = [
    figure("seed", String(seed)),
    figure("executions", `${executions} in ${Math.round(seconds)} s, one process`),
    figure("corpus at the start", `${seeds} files, ${Math.round(corpusBytes / 1024)} KiB`),
    figure("inputs added because they reached new branches", guided ? String(kept) : "none are looked for"),
    figure("failures", String(failures.length)),
    ...(coverage === null
      ? []
      : [
          figure("branches of `src/media` (istanbul)", percent(coverage.branches)),
          figure("lines of `src/media` (istanbul)", percent(coverage.lines)),
        ]),
  ];
  const files = Object.entries(coverage?.files ?? {})
    .filter(([, { total }]) => total > 0)
    .map(([path, share]) => `| \`${path}\` | ${percent(share)} |`);
  const found = failures.map(({ target, message }) => `- ${target}: ${message.replaceAll("\n", " ")}`);
  return [
    `# Fuzzing of ${date}`,
    `Bun ${Bun.version}, ${cpus().length} cores shared, \`nice\` 15.`,
    tableOf(figures),
    ...(found.length > 0 ? ["## Failures", found.join("\n")] : []),
    ...(files.length > 0 ? ["## Branches", ["| file | covered |", "|---|---|", ...files].join("\n")] : []),
    "",
  ].join("\n\n");
}
