import { t } from "../i18n/i18n.ts";
import "../messages/en/upload.ts";
import { call, messageOf } from "../api.ts";
import { nameOfFile } from "../format.ts";
import { notify } from "../notices.tsx";
import { here, navigate } from "../router.ts";
import { user } from "../session.ts";
import { adviceFor, mayContinue } from "./advice.ts";
import { Speed } from "./speed.ts";
import { isActive, type QueuedUpload, queue, type UploadStep, underWay } from "./state.ts";
import type { Transfer } from "./tus-transfer.ts";
import { refreshUnfinished } from "./unfinished.ts";

const transfers = new Map<number, Transfer>();
const speeds = new Map<number, Speed>();
let lastKey = 0;

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
        tags: [],
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
export function start(tags: readonly string[]): void {
  for (const { key, step } of queue.value) if (step === "chosen") change(key, { step: "waiting", tags });
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
    cancel(transfer).catch((error: unknown) => notify(messageOf(error), { kind: "error" }));
  }
  sendNext();
}

async function cancel(transfer: Transfer): Promise<void> {
  await transfer.cancel();
  const who = user.peek();
  if (who) await refreshUnfinished(who.id);
}

function change(key: number, changes: Partial<QueuedUpload>): void {
  queue.value = queue.value.map((item) => (item.key === key ? { ...item, ...changes } : item));
}

function stepOf(key: number): UploadStep | undefined {
  return queue.value.find((item) => item.key === key)?.step;
}

function sendNext(): void {
  if (queue.value.some(({ step }) => underWay.has(step))) return;
  const next = queue.value.find(({ step }) => step === "waiting");
  if (!next) return;
  change(next.key, { step: "sending" });
  send(next).catch((error: unknown) => failed(next.key, error));
}

async function send({ key, file, tags }: QueuedUpload): Promise<void> {
  const who = user.peek();
  if (!who) throw new Error(t("upload.sign-in"));
  const { startTransfer } = await import("./tus-transfer.ts");
  const speed = new Speed();
  speeds.set(key, speed);
  const transfer = await startTransfer(file, {
    userId: who.id,
    name: nameOfFile(file.name),
    tags,
    onProgress(sentBytes) {
      const step = stepOf(key);
      if (step !== "sending" && step !== "reconnecting") return;
      speed.add({ atMs: performance.now(), bytes: sentBytes });
      change(key, { step: "sending", sentBytes, bytesPerSecond: speed.bytesPerSecond });
    },
    onReconnecting() {
      if (stepOf(key) === "paused") return;
      speed.reset();
      change(key, { step: "reconnecting", bytesPerSecond: null });
    },
    onSent: () => change(key, { step: "checking", sentBytes: file.size, bytesPerSecond: null }),
    onReady(titleId) {
      if (transfers.get(key)?.continues && tags.length > 0) addTags(titleId, tags);
      done(key, titleId);
    },
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
  if (here.peek().path === "/upload") return;
  const action = { label: t("do.show"), run: async () => navigate("/upload") };
  notify(t("upload.is-not", { file: nameOf(key) }), { kind: "error", action });
}

function done(key: number, titleId: string): void {
  const name = nameOf(key);
  forget(key);
  change(key, { step: "done", titleId });
  sendNext();
  if (queue.value.some(isActive)) return;
  const allWell = queue.value.every(({ step }) => step === "done");
  if (allWell) queue.value = [];
  const onPage = here.peek().path === "/upload";
  const address = `/videos?selected=${titleId}`;
  if (onPage && allWell) navigate(address);
  // On the page of what is not done, the way to what is stands beside it.
  else if (!onPage)
    notify(t("upload.is", { file: name }), { action: { label: t("do.show"), run: async () => navigate(address) } });
}

const nameOf = (key: number) => queue.value.find((item) => item.key === key)?.file.name ?? t("upload.your-video");

/** Takes what is done off the list. */
export function clearDone(): void {
  queue.value = queue.value.filter(({ step }) => step !== "done");
}

/** Takes everything off the list that is over; what the server has of what failed is thrown away. */
export function clearEnded(): void {
  for (const { key, step } of queue.value) if (step === "done" || step === "failed") remove(key);
}

/** An upload that goes on after a reload began with the tags of then. */
function addTags(titleId: string, tags: readonly string[]): void {
  call("POST", `/api/titles/${titleId}/tags`, { tags }).catch((error: unknown) =>
    notify(t("upload.no-tags", { reason: messageOf(error) }), { kind: "error" }),
  );
}

addEventListener("beforeunload", (event) => {
  if (queue.peek().some(({ step }) => step === "sending" || step === "reconnecting" || step === "waiting")) {
    event.preventDefault();
  }
});
