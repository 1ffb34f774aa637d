import { RtspError } from "./errors.ts";
import { messageLimits } from "./limits.ts";

/** A name as RFC 2068 section 2.2 has it. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What no value may hold: control characters beside the tab. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;

/** Header fields by name in any case. Fields of one name are joined with a comma (RFC 2068 section 4.2). */
export class RtspHeaders {
  readonly #values = new Map<string, string>();

  /** Reads the lines after the request line. A line that begins with a space goes on with the one before. */
  static parse(lines: readonly string[]): RtspHeaders {
    const headers = new RtspHeaders();
    let count = 0;
    let last: string | null = null;
    for (const line of lines) {
      if (CONTROL.test(line)) throw new RtspError(400, "a control character in a header", { fatal: true });
      if (/^[ \t]/.test(line)) {
        if (last === null) throw new RtspError(400, "a header that goes on before one began", { fatal: true });
        headers.#values.set(last, `${headers.#values.get(last)} ${line.trim()}`);
        continue;
      }
      if (++count > messageLimits.headers) throw new RtspError(400, "too many headers", { fatal: true });
      last = headers.#add(line);
    }
    return headers;
  }

  get(name: string): string | null {
    return this.#values.get(name.toLowerCase()) ?? null;
  }

  #add(line: string): string {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    if (!TOKEN.test(name)) throw new RtspError(400, "a line that is no header", { fatal: true });
    const value = line.slice(colon + 1).trim();
    const before = this.#values.get(name);
    this.#values.set(name, before === undefined ? value : `${before}, ${value}`);
    return name;
  }
}
