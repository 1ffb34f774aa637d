import { t } from "../i18n/i18n.ts";
import "../messages/en/upload.ts";
import { formatBytes, formatTimeLeft } from "../format.ts";
import { user } from "../session.ts";
import { clearDone, pause, remove, resume } from "../upload/queue.ts";
import { isActive, type QueuedUpload, queue } from "../upload/state.ts";
import { unfinishedOf } from "../upload/unfinished.ts";

/** The chosen files: how far each is, and what can be done with it. */
export function UploadProgress() {
  if (queue.value.length === 0) return null;
  return (
    <>
      <ul class="uploads" aria-label={t("upload.files")}>
        {queue.value.map((item) => (
          <UploadRow key={item.key} item={item} />
        ))}
      </ul>
      <p class="visually-hidden" role="status" aria-live="polite">
        {queue.value.map(announcement).filter(Boolean).join(". ")}
      </p>
      <Outcome />
    </>
  );
}

/** When nothing is on its way any more but something failed: what is there, and the way to it. */
function Outcome() {
  const done = queue.value.filter(({ step }) => step === "done");
  const last = done.at(-1);
  if (!last || queue.value.some(isActive)) return null;
  const tried = queue.value.filter(({ step }) => step !== "chosen").length;
  return (
    <p class="actions" role="status">
      <span>{done.length === tried ? t("upload.all-done") : t("upload.some-done", { done: done.length, tried })}</span>
      <a class="button" href={`/videos?selected=${last.titleId}`} onClick={clearDone}>
        {t("upload.show")}
      </a>
    </p>
  );
}

function UploadRow({ item }: { item: QueuedUpload }) {
  const { file, step, key, problem } = item;
  const isMoving = step === "sending" || step === "reconnecting";
  const shown = isMoving || step === "paused" || step === "checking";
  return (
    <li class="upload-row" data-step={step}>
      <div class="upload-head">
        <span class="name">{file.name}</span>
        <span class="meta">{status(item)}</span>
      </div>
      {shown && (
        <progress max={file.size} value={item.sentBytes} aria-label={t("upload.progress", { file: file.name })} />
      )}
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="upload-actions">
        {isMoving && (
          <button type="button" onClick={() => pause(key)}>
            {t("upload.pause")}
          </button>
        )}
        {(step === "paused" || (step === "failed" && item.mayContinue)) && (
          <button type="button" onClick={() => resume(key)}>
            {t("upload.resume")}
          </button>
        )}
        {step !== "checking" && step !== "done" && (
          <button
            type="button"
            class="plain"
            onClick={() => remove(key)}
            aria-label={t("upload.remove-file", { file: file.name })}
          >
            {t(isMoving || step === "paused" ? "do.cancel" : "do.remove")}
          </button>
        )}
      </div>
    </li>
  );
}

const percent = ({ file, sentBytes }: QueuedUpload) =>
  file.size === 0 ? 0 : Math.floor((sentBytes / file.size) * 100);

function status(item: QueuedUpload): string {
  const { file, step, sentBytes, bytesPerSecond } = item;
  switch (step) {
    case "chosen":
      return continuing(file, formatBytes(file.size));
    case "waiting":
      return continuing(file, t("upload.waits", { size: formatBytes(file.size) }));
    case "reconnecting":
      return t("upload.lost", { percent: percent(item) });
    case "paused":
      return t("upload.paused", { percent: percent(item) });
    case "checking":
      return t("upload.checking");
    case "done":
      return t("upload.done");
    case "failed":
      return t("upload.failed");
    case "sending": {
      const parts = [t("upload.percent-of", { percent: percent(item), size: formatBytes(file.size) })];
      if (bytesPerSecond) {
        const size = formatBytes(bytesPerSecond);
        parts.push(t("upload.speed", { size }), formatTimeLeft((file.size - sentBytes) / bytesPerSecond));
      }
      return parts.join("\u2002·\u2002");
    }
  }
}

/** Where a file goes on that was begun before a reload. */
function continuing(file: File, text: string): string {
  const earlier = user.value && unfinishedOf(file, user.value.id);
  return earlier ? t("upload.continues-at", { text, sent: formatBytes(earlier.sentBytes) }) : text;
}

/** Spoken in quarters: every percent would drown everything else. */
function announcement(item: QueuedUpload): string {
  const file = item.file.name;
  if (item.step === "sending") return t("upload.say-percent", { file, percent: Math.floor(percent(item) / 25) * 25 });
  if (item.step === "reconnecting") return t("upload.say-lost", { file });
  if (item.step === "paused") return t("upload.say-paused", { file });
  if (item.step === "checking") return t("upload.say-checking", { file });
  return "";
}
