import { until } from "./until.ts";

/** Nothing more comes after this time without any, in milliseconds. */
const QUIET_MS = 150;

/** A program in a terminal (a pty): what is typed goes to it, what it shows is read as text. */
export class TerminalSession implements Disposable {
  readonly #child: Bun.Subprocess;
  readonly #terminal: Bun.Terminal;
  #output = "";
  #seen = 0;

  constructor(command: string[], options: { cwd: string; env: Record<string, string>; cols?: number }) {
    const decoder = new TextDecoder();
    this.#terminal = new Bun.Terminal({
      cols: options.cols ?? 100,
      rows: 40,
      name: "xterm-256color",
      data: (_terminal, data) => {
        this.#output += decoder.decode(data, { stream: true });
      },
    });
    const { cwd, env } = options;
    // Bun gives a terminal that controls nothing: without `setsid` Ctrl+C would be no signal.
    this.#child = Bun.spawn(["setsid", "--ctty", "--wait", ...command], {
      cwd,
      env: { TERM: "xterm-256color", ...env },
      terminal: this.#terminal,
    });
  }

  /** Everything shown so far, as it came. */
  get raw(): string {
    return this.#output;
  }

  /** The same without what moves the cursor and colours. */
  get text(): string {
    return Bun.stripANSI(this.#output);
  }

  /** Waits until something is shown that was not seen before; fails with what is there instead. */
  async sees(wanted: string): Promise<void> {
    await until(() => this.text.indexOf(wanted, this.#seen) >= 0, 15_000).catch(() => {
      throw new Error(`${wanted} was not shown, but:\n${this.text.slice(this.#seen)}`);
    });
    this.#seen = this.text.indexOf(wanted, this.#seen) + wanted.length;
  }

  type(text: string): void {
    this.#terminal.write(text);
  }

  /** Waits for a question and answers it. */
  async answers(question: string, answer: string): Promise<void> {
    await this.sees(question);
    // A prompt shows itself before it listens.
    await Bun.sleep(50);
    this.type(answer);
  }

  /** The exit code, when it has ended and what it showed has come. */
  get exited(): Promise<number> {
    return this.#child.exited.then(async (code) => {
      // What a program wrote last may still be on its way when it has ended.
      for (let before = -1; before !== this.#output.length; await Bun.sleep(QUIET_MS)) before = this.#output.length;
      return code;
    });
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
    this.#terminal.close();
  }
}

export const KEY = { enter: "\r", down: "\u001b[B", up: "\u001b[A", interrupt: "\u0003" } as const;
