import { computed, signal } from "@preact/signals";

/** `chosen` until the button is pressed; one after the other from `waiting` to `done`. */
export type UploadStep = "chosen" | "waiting" | "sending" | "reconnecting" | "paused" | "checking" | "done" | "failed";

export interface QueuedUpload {
  readonly key: number;
  readonly file: File;
  readonly step: UploadStep;
  readonly tags: readonly string[];
  readonly sentBytes: number;
  readonly bytesPerSecond: number | null;
  /** What went wrong and what to do; null while nothing did. */
  readonly problem: string | null;
  /** Whether resuming can help. */
  readonly mayContinue: boolean;
  readonly titleId: string | null;
}

/** The files on their way. They go on while other pages are shown. */
export const queue = signal<readonly QueuedUpload[]>([]);

/** On its way: no other is sent meanwhile. */
export const underWay = new Set<UploadStep>(["sending", "reconnecting", "paused", "checking"]);

export const isActive = ({ step }: QueuedUpload) => step === "waiting" || underWay.has(step);

/** How much of everything on its way is through; null when nothing is. */
export const overallPercent = computed(() => {
  const running = queue.value.filter(isActive);
  const total = running.reduce((sum, { file }) => sum + file.size, 0);
  if (running.length === 0 || total === 0) return null;
  return Math.floor((running.reduce((sum, { sentBytes }) => sum + sentBytes, 0) / total) * 100);
});
