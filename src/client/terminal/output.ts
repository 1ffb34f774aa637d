import type { ClientEnvironment } from "../../config/client-environment.ts";
import type { ClientError } from "../errors.ts";
import { printable, printableJson, printableLines } from "./printable.ts";
import { type Column, tableLines } from "./table.ts";

/** Room for lines when nobody says how wide the place is. */
const UNBOUNDED = 10_000;

/** Where a command writes: its result to stdout, as text or as one JSON document; everything else to stderr. */
export class Output {
  readonly json: boolean;
  readonly #color: boolean;

  constructor(json: boolean, env: Pick<ClientEnvironment, "noColor">) {
    this.json = json;
    this.#color = !env.noColor && process.stdout.isTTY === true;
  }

  /** Columns of the terminal; without one, as many as are wanted. */
  get width(): number {
    return process.stdout.isTTY ? (process.stdout.columns ?? 80) : UNBOUNDED;
  }

  /** Tells the result: `value` with `--json`, else what `text` prints. */
  result(value: unknown, text: () => void): void {
    if (this.json) process.stdout.write(`${printableJson(value)}\n`);
    else text();
  }

  /** A line of the result. Text of others in it must be `printable`. */
  line(text = ""): void {
    process.stdout.write(`${text}\n`);
  }

  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
    const [headers = "", ...lines] = tableLines(columns, rows, this.width);
    this.line(this.#color ? `\u001b[1m${headers}\u001b[22m` : headers);
    for (const line of lines) this.line(line);
  }

  /** Names and values, one pair a line; those without a value are left out. */
  pairs(pairs: readonly (readonly [name: string, value: string | null])[]): void {
    const shown = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== null);
    const width = Math.max(0, ...shown.map(([name]) => name.length));
    for (const [name, value] of shown) {
      const [first = "", ...rest] = printableLines(value).split("\n");
      this.line(`${name.padEnd(width)}  ${first}`);
      for (const line of rest) this.line(`${" ".repeat(width)}  ${line}`);
    }
  }

  /** Something to know beside the result. */
  note(text: string): void {
    process.stderr.write(`${printableLines(text)}\n`);
  }

  /** Why it failed and what helps; with `--json` the problem document. */
  problem(error: ClientError): void {
    if (this.json) process.stderr.write(`${printableJson(problemJson(error))}\n`);
    else
      process.stderr.write(
        `kinora: ${printable(error.message)}\n${error.hint ? `${printableLines(error.hint)}\n` : ""}`,
      );
  }
}

function problemJson(error: ClientError) {
  return {
    ...error.data,
    code: error.code,
    detail: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.status === undefined ? {} : { status: error.status }),
    exitCode: error.exit,
  };
}
