import { formatBytes, formatTimeLeft } from "../format.ts";
import { pause, type QueuedUpload, queue, remove, resume } from "../upload/queue.ts";

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
    </>
  );
}

function UploadRow({ item }: { item: QueuedUpload }) {
  const { file, step, key, problem } = item;
  const shown = step === "sending" || step === "paused" || step === "checking";
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
        {step === "sending" && (
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
            {step === "sending" || step === "paused" ? "Cancel" : "Remove"}
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
      return formatBytes(file.size);
    case "waiting":
      return `${formatBytes(file.size)}, waiting`;
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

/** Spoken in quarters: every percent would drown everything else. */
function announcement(item: QueuedUpload): string {
  if (item.step === "sending") return `${item.file.name}: ${Math.floor(percent(item) / 25) * 25} percent`;
  if (item.step === "paused") return `${item.file.name}: paused`;
  if (item.step === "checking") return `${item.file.name}: being checked`;
  return "";
}
