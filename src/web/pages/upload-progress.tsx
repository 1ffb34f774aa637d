import { formatBytes, formatTimeLeft } from "../format.ts";
import { user } from "../session.ts";
import { clearDone, isActive, pause, type QueuedUpload, queue, remove, resume } from "../upload/queue.ts";
import { unfinishedOf } from "../upload/unfinished.ts";

/** The chosen files: how far each is, and what can be done with it. */
export function UploadProgress() {
  if (queue.value.length === 0) return null;
  return (
    <>
      <ul class="uploads" aria-label="Files">
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
      <span>{done.length === tried ? "All" : `${done.length} of ${tried}`} uploaded. They are in your videos.</span>
      <a class="button" href={`/videos?selected=${last.titleId}`} onClick={clearDone}>
        Show in my videos
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
      {shown && <progress max={file.size} value={item.sentBytes} aria-label={`${file.name}: uploaded`} />}
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="upload-actions">
        {isMoving && (
          <button type="button" onClick={() => pause(key)}>
            Pause
          </button>
        )}
        {(step === "paused" || (step === "failed" && item.mayContinue)) && (
          <button type="button" onClick={() => resume(key)}>
            Resume
          </button>
        )}
        {step !== "checking" && step !== "done" && (
          <button type="button" class="plain" onClick={() => remove(key)} aria-label={`Remove ${file.name}`}>
            {isMoving || step === "paused" ? "Cancel" : "Remove"}
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
      return `${formatBytes(file.size)}${continuation(file)}`;
    case "waiting":
      return `${formatBytes(file.size)}, waits for the one before${continuation(file)}`;
    case "reconnecting":
      return `${percent(item)} %, connection lost. Reconnecting…`;
    case "paused":
      return `${percent(item)} %, paused`;
    case "checking":
      return "Checking the video…";
    case "done":
      return "Done";
    case "failed":
      return "Not uploaded";
    case "sending": {
      const parts = [`${percent(item)} % of ${formatBytes(file.size)}`];
      if (bytesPerSecond) {
        parts.push(`${formatBytes(bytesPerSecond)}/s`, formatTimeLeft((file.size - sentBytes) / bytesPerSecond));
      }
      return parts.join("\u2002·\u2002");
    }
  }
}

/** Where a file goes on that was begun before a reload. */
function continuation(file: File): string {
  const earlier = user.value && unfinishedOf(file, user.value.id);
  return earlier ? `, continues at ${formatBytes(earlier.sentBytes)}` : "";
}

/** Spoken in quarters: every percent would drown everything else. */
function announcement(item: QueuedUpload): string {
  if (item.step === "sending") return `${item.file.name}: ${Math.floor(percent(item) / 25) * 25} percent`;
  if (item.step === "reconnecting") return `${item.file.name}: connection lost, reconnecting`;
  if (item.step === "paused") return `${item.file.name}: paused`;
  if (item.step === "checking") return `${item.file.name}: being checked`;
  return "";
}
