import { computed, signal } from "@preact/signals";
import { messageOf } from "../api.ts";
import { nameOfFile } from "../format.ts";
import { notify } from "../notices.tsx";
import { here, navigate } from "../router.ts";
import { user } from "../session.ts";
import { adviceFor, mayContinue } from "./advice.ts";
import { Speed } from "./speed.ts";
import type { Transfer } from "./tus-transfer.ts";

/** `chosen` until the button is pressed; one after the other from `waiting` to `done`. */
export type UploadStep = "chosen" | "waiting" | "sending" | "paused" | "checking" | "done" | "failed";

export interface QueuedUpload {
  readonly key: number;
  readonly file: File;
  readonly step: UploadStep;
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

const active = new Set<UploadStep>(["waiting", "sending", "paused", "checking"]);

/** How much of everything on its way is through; null when nothing is. */
export const overallPercent = computed(() => {
  const running = queue.value.filter(({ step }) => active.has(step));
  const total = running.reduce((sum, { file }) => sum + file.size, 0);
  if (running.length === 0 || total === 0) return null;
  return Math.floor((running.reduce((sum, { sentBytes }) => sum + sentBytes, 0) / total) * 100);
});

const transfers = new Map<number, Transfer>();
const speeds = new Map<number, Speed>();
let lastKey = 0;
let tags: readonly string[] = [];

/** Adds files to choose from; nothing is sent yet. */
export function choose(files: Iterable<File>): void {
  const known = new Set(queue.value.filter(({ step }) => step !== "failed").map(({ file }) => identity(file)));
  const added = [...files]
    .filter((file) => !known.has(identity(file)))
    .map(
      (file): QueuedUpload => ({
        key: ++lastKey,
        file,
        step: "chosen",
        sentBytes: 0,
        bytesPerSecond: null,
        problem: null,
        mayContinue: false,
        titleId: null,
      }),
    );
  const replaced = new Set(added.map(({ file }) => identity(file)));
  queue.value = [
    ...queue.value.filter((item) => item.step !== "failed" || !replaced.has(identity(item.file))),
    ...added,
  ];
}

const identity = (file: File) => `${file.name}/${file.size}/${file.lastModified}`;

/** Starts sending what was chosen, one file after the other. */
export function start(withTags: readonly string[]): void {
  tags = withTags;
  for (const { key, step } of queue.value) if (step === "chosen") change(key, { step: "waiting" });
  sendNext();
}

export function pause(key: number): void {
  change(key, { step: "paused", bytesPerSecond: null });
  void transfers.get(key)?.pause();
}

/** Goes on after a pause, or after a failure that may have passed. */
export function resume(key: number): void {
  const transfer = transfers.get(key);
  speeds.get(key)?.reset();
  if (!transfer) {
    change(key, { step: "waiting", problem: null });
    sendNext();
    return;
  }
  change(key, { step: "sending", problem: null });
  transfer.resume();
}

/** Takes a file off the list; what the server has of it is thrown away. */
export function remove(key: number): void {
  const transfer = transfers.get(key);
  const item = queue.value.find((candidate) => candidate.key === key);
  forget(key);
  queue.value = queue.value.filter((candidate) => candidate.key !== key);
  if (transfer && item?.step !== "done") {
    transfer.cancel().catch((error: unknown) => notify(messageOf(error), { kind: "error" }));
  }
  sendNext();
}

function change(key: number, changes: Partial<QueuedUpload>): void {
  queue.value = queue.value.map((item) => (item.key === key ? { ...item, ...changes } : item));
}

function stepOf(key: number): UploadStep | undefined {
  return queue.value.find((item) => item.key === key)?.step;
}

function sendNext(): void {
  if (queue.value.some(({ step }) => step === "sending" || step === "paused" || step === "checking")) return;
  const next = queue.value.find(({ step }) => step === "waiting");
  if (!next) return;
  change(next.key, { step: "sending" });
  send(next).catch((error: unknown) => failed(next.key, error));
}

async function send({ key, file }: QueuedUpload): Promise<void> {
  const who = user.peek();
  if (!who) throw new Error("Sign in to upload.");
  const { startTransfer } = await import("./tus-transfer.ts");
  const speed = new Speed();
  speeds.set(key, speed);
  const transfer = await startTransfer(file, {
    userId: who.id,
    name: nameOfFile(file.name),
    tags,
    onProgress(sentBytes) {
      if (stepOf(key) !== "sending") return;
      speed.add({ atMs: performance.now(), bytes: sentBytes });
      change(key, { sentBytes, bytesPerSecond: speed.bytesPerSecond });
    },
    onSent: () => change(key, { step: "checking", sentBytes: file.size, bytesPerSecond: null }),
    onReady: (titleId) => done(key, titleId),
    onFailed: (error) => failed(key, error),
  });
  const step = stepOf(key);
  if (step === undefined) return transfer.cancel();
  transfers.set(key, transfer);
  // Paused while the first request was being prepared.
  if (step === "paused") await transfer.pause();
}

function forget(key: number): void {
  transfers.delete(key);
  speeds.delete(key);
}

function failed(key: number, error: unknown): void {
  const again = mayContinue(error);
  // A transfer that was refused for good has nothing to resume; a new one begins from what the server has.
  forget(key);
  change(key, { step: "failed", problem: adviceFor(error), mayContinue: again, bytesPerSecond: null });
  sendNext();
}

function done(key: number, titleId: string): void {
  forget(key);
  change(key, { step: "done", titleId });
  sendNext();
  if (queue.value.some(({ step }) => active.has(step))) return;
  const name = queue.value.find((item) => item.key === key)?.file.name ?? "Your video";
  const allWell = queue.value.every(({ step }) => step === "done");
  if (allWell) queue.value = [];
  const address = `/videos?selected=${titleId}`;
  if (here.peek().path === "/upload" && allWell) navigate(address);
  else notify(`${name} is uploaded.`, { action: { label: "Show", run: async () => navigate(address) } });
}

addEventListener("beforeunload", (event) => {
  if (queue.peek().some(({ step }) => step === "sending" || step === "waiting")) event.preventDefault();
});
