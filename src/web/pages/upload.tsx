import { rich, t } from "../i18n/i18n.ts";
import "../messages/en/upload.ts";
import { useEffect, useRef, useState } from "preact/hooks";
import { messageOf } from "../api.ts";
import { Heading } from "../components/heading.tsx";
import { UploadIcon } from "../components/icons.tsx";
import { parseTags } from "../components/parse-tags.ts";
import { TagsField } from "../components/tags-field.tsx";
import { formatBytes } from "../format.ts";
import { mayUpload, user } from "../session.ts";
import { choose, start } from "../upload/queue.ts";
import { queue } from "../upload/state.ts";
import {
  discardUnfinished,
  refreshUnfinished,
  type Unfinished,
  unfinished,
  unfinishedOf,
} from "../upload/unfinished.ts";
import { UploadProgress } from "./upload-progress.tsx";

const ACCEPT = "video/*,.mkv,.ts,.m2ts,.mov,.m4v";

/** Choose files, send them, see how far they are. */
export function UploadPage() {
  const [tagsText, setTagsText] = useState("");
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const chosen = queue.value.filter(({ step }) => step === "chosen");
  if (!mayUpload(user.value)) return <NotAllowed />;

  const take = (files: FileList | null | undefined) => {
    if (files) choose(files);
    if (input.current) input.current.value = "";
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    start(parseTags(tagsText));
    // They belong to what was sent; the next videos have others.
    setTagsText("");
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer?.files);
  };
  return (
    <section class="upload">
      <div class="title-bar">
        <Heading title={t("upload.heading")} />
        <a href="/videos">{t("upload.skip")}</a>
      </div>
      <form onSubmit={submit}>
        <label
          class="drop"
          data-over={over}
          onDragOver={(event) => {
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={drop}
        >
          <UploadIcon />
          <span class="drop-text">{rich("upload.choose", { b: (text) => <strong>{text}</strong> })}</span>
          <small>{t("upload.kinds")}</small>
          <input
            ref={input}
            type="file"
            accept={ACCEPT}
            multiple
            onChange={(event) => take(event.currentTarget.files)}
          />
        </label>
        <UploadProgress />
        <TagsField
          label={t("upload.tags")}
          hint={t(chosen.length > 0 ? "upload.tags-chosen" : "upload.tags-any")}
          value={tagsText}
          onText={setTagsText}
          placeholder={t("upload.tags-example")}
        />
        <div class="actions">
          <button type="submit" class="primary" aria-disabled={chosen.length === 0}>
            {t("upload.send", { count: Math.max(1, chosen.length) })}
          </button>
        </div>
      </form>
      <UnfinishedUploads />
    </section>
  );
}

function NotAllowed() {
  return (
    <section class="message">
      <Heading title={t("upload.heading")} />
      <p>{rich("upload.not-allowed", { library: (text) => <a href="/library">{text}</a> })}</p>
    </section>
  );
}

/** Uploads from before a reload: the browser no longer has the file, so the person chooses it again. */
function UnfinishedUploads() {
  const [problem, setProblem] = useState<string | null>(null);
  const userId = user.value?.id;
  const files = queue.value.map(({ file }) => file);
  useEffect(() => {
    if (userId !== undefined) refreshUnfinished(userId).catch((error: unknown) => setProblem(messageOf(error)));
  }, [userId, files.length]);

  const discard = async (upload: Unfinished) => {
    try {
      await discardUnfinished(upload);
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  const inQueue = new Set(files.map((file) => unfinishedOf(file, userId ?? "")));
  const shown = unfinished.value.filter((upload) => !inQueue.has(upload));
  if (shown.length === 0 && problem === null) return null;
  return (
    <section class="unfinished" aria-labelledby="unfinished-heading">
      <h2 id="unfinished-heading">{t("upload.unfinished")}</h2>
      <p>{t("upload.choose-again")}</p>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <ul>
        {shown.map((upload) => (
          <li key={upload.key}>
            <span class="name">{upload.filename}</span>
            <span class="meta">
              {t("upload.of", { sent: formatBytes(upload.sentBytes), size: formatBytes(upload.sizeBytes) })}
            </span>
            <button
              type="button"
              onClick={() => void discard(upload)}
              aria-label={t("upload.discard-file", { file: upload.filename })}
            >
              {t("upload.discard")}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
