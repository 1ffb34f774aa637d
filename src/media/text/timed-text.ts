/** Cues in one file: somebody who talks without a pause has 10,000 in a long film. */
const maxCues = 100_000;

const time = String.raw`(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,:](\d{1,3}))?`;
const timing = new RegExp(String.raw`^\s*${time}\s*-{1,3}>\s*${time}(.*)$`);

/** A cue as it stands in a file. */
interface TimedText {
  readonly startMs: number;
  readonly endMs: number;
  /** What follows the times on their line. */
  readonly rest: string;
  readonly text: string;
}

/**
 * The cues of a SubRip or WebVTT file, in order of their start, read as players do: a line with two times starts a
 * cue, whatever is wrong before it. With `endsAtEmptyLine` the text ends there, else with the number of the next cue.
 */
export function readTimedText(file: string, { endsAtEmptyLine }: { endsAtEmptyLine: boolean }): TimedText[] {
  const lines = file.split(/\r\n|[\r\n]/);
  const starts = lines.flatMap((line, i) => (line.includes(">") && timing.test(line) ? [i] : [])).slice(0, maxCues);
  const cues = starts.map((start, i): TimedText => {
    const end = starts[i + 1] ?? lines.length;
    const body = lines.slice(start + 1, end);
    const text = endsAtEmptyLine ? untilEmptyLine(body) : withoutNumber(body, end < lines.length);
    const match = timing.exec(lines[start] ?? "") ?? [];
    return { startMs: milliseconds(match, 1), endMs: milliseconds(match, 5), rest: match[9] ?? "", text };
  });
  return cues.sort((a, b) => a.startMs - b.startMs);
}

function milliseconds(match: readonly (string | undefined)[], at: number): number {
  const [hours = "0", minutes = "0", seconds = "0", fraction = "0"] = match.slice(at, at + 4);
  const whole = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  return whole * 1000 + Number(fraction.padEnd(3, "0"));
}

function untilEmptyLine(lines: readonly string[]): string {
  const end = lines.findIndex((line) => line.trim() === "");
  return lines.slice(0, end < 0 ? lines.length : end).join("\n");
}

function withoutNumber(lines: readonly string[], isFollowed: boolean): string {
  return (isFollowed && /^\s*\d+\s*$/.test(lines.at(-1) ?? "") ? lines.slice(0, -1) : lines).join("\n");
}
