import type { Output } from "../terminal/output.ts";
import { fitted, padded, printable } from "../terminal/printable.ts";
import { lengthText, sizeText } from "../title-text.ts";

const REDRAW_MS = 100;
const BAR = 20;
/** The speed shown is that of the last seconds. */
const WINDOW_MS = 5_000;

/** How far one file is, on one line of the terminal; without a terminal nothing. */
export class ProgressLine {
  readonly #out: Output;
  readonly #label: string;
  readonly #sizeBytes: number;
  readonly #isShown: boolean;
  #drawnAtMs = Number.NEGATIVE_INFINITY;
  #marks: { atMs: number; bytes: number }[] = [];

  constructor(out: Output, label: string, sizeBytes: number) {
    this.#out = out;
    this.#label = printable(label);
    this.#sizeBytes = sizeBytes;
    this.#isShown = !out.json && process.stderr.isTTY === true;
  }

  update(sentBytes: number): void {
    const now = performance.now();
    this.#marks.push({ atMs: now, bytes: sentBytes });
    this.#marks = this.#marks.filter(({ atMs }) => now - atMs < WINDOW_MS);
    if (!this.#isShown || (now - this.#drawnAtMs < REDRAW_MS && sentBytes < this.#sizeBytes)) return;
    this.#drawnAtMs = now;
    this.#draw(sentBytes);
  }

  /** Says something instead of the bar, such as that the connection is lost. */
  say(text: string): void {
    if (this.#isShown) process.stderr.write(`\r\u001b[K${fitted(`${this.#label}  ${printable(text)}`, this.#columns)}`);
    else if (!this.#out.json) this.#out.note(`${this.#label}: ${text}`);
  }

  clear(): void {
    if (this.#isShown) process.stderr.write("\r\u001b[K");
  }

  get #columns(): number {
    return (process.stderr.columns ?? 80) - 1;
  }

  #draw(sentBytes: number): void {
    const part = this.#sizeBytes === 0 ? 1 : sentBytes / this.#sizeBytes;
    const filled = Math.round(part * BAR);
    const bar = `[${"#".repeat(filled)}${"-".repeat(BAR - filled)}]`;
    const facts = `${bar} ${padded(`${Math.floor(part * 100)} %`, 5, "right")}  ${this.#speed(sentBytes)}`;
    const room = Math.max(8, this.#columns - facts.length - 2);
    process.stderr.write(`\r\u001b[K${fitted(`${fitted(this.#label, room)}  ${facts}`, this.#columns)}`);
  }

  #speed(sentBytes: number): string {
    const first = this.#marks[0];
    const seconds = first ? (performance.now() - first.atMs) / 1000 : 0;
    const perSecond = first && seconds > 0.2 ? (sentBytes - first.bytes) / seconds : 0;
    if (perSecond <= 0) return sizeText(this.#sizeBytes);
    return `${sizeText(perSecond)}/s  ${lengthText((this.#sizeBytes - sentBytes) / perSecond)} left`;
  }
}
