import type { Clock } from "./clock.ts";

const tickMs = 10;
/** The wheel turns once in 10.24 s; nobody waits longer. */
const slotCount = 1024;

/** What is called when its time has come. */
export interface WheelTask {
  /** The tick it waits for, -1 for none; the wheel's own. */
  dueTick: number;
  run(): void;
}

/** One timer for all streams: tasks wait in slots of 10 ms. Stands still while nobody waits. */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #slots: WheelTask[][] = Array.from({ length: slotCount }, () => []);
  #tick: number;
  #waiting = 0;
  #stop: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#tick = this.#nowTick();
  }

  /** Runs the task in a later turn of the event loop, `delayMs` from now or a tick later; instead of an earlier plan. */
  schedule(task: WheelTask, delayMs: number): void {
    this.cancel(task);
    if (this.#stop === null) this.#start();
    const ticks = Math.min(slotCount - 1, Math.max(1, Math.ceil(delayMs / tickMs)));
    task.dueTick = Math.max(this.#nowTick(), this.#tick) + ticks;
    // What is behind on ticks must not lap itself.
    task.dueTick = Math.min(task.dueTick, this.#tick + slotCount - 1);
    this.#slots[task.dueTick % slotCount]?.push(task);
    this.#waiting++;
  }

  cancel(task: WheelTask): void {
    if (task.dueTick < 0) return;
    const slot = this.#slots[task.dueTick % slotCount];
    const index = slot?.indexOf(task) ?? -1;
    if (index >= 0) slot?.splice(index, 1);
    task.dueTick = -1;
    this.#waiting--;
  }

  #start(): void {
    this.#tick = this.#nowTick();
    this.#stop = this.#clock.every(tickMs, () => this.#turn());
  }

  #turn(): void {
    const now = this.#nowTick();
    while (this.#tick < now) this.#runSlot(++this.#tick);
    if (this.#waiting > 0) return;
    this.#stop?.();
    this.#stop = null;
  }

  #runSlot(tick: number): void {
    const index = tick % slotCount;
    const due = this.#slots[index] ?? [];
    if (due.length === 0) return;
    this.#slots[index] = [];
    this.#waiting -= due.length;
    for (const task of due) task.dueTick = -1;
    for (const task of due) task.run();
  }

  #nowTick(): number {
    return Math.floor(this.#clock.now() / tickMs);
  }
}
