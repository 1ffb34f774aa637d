import { useState } from "preact/hooks";
import { works } from "../events.ts";
import { formatNumber, t } from "../i18n/i18n.ts";
import "../messages/en/upload.ts";
import { UploadProgress } from "../pages/upload-progress.tsx";
import { here } from "../router.ts";
import { overallPercent, queue } from "./state.ts";

/** What is on its way, wherever one is: uploads of this browser, and what the server says of scans and other work. */
export function Tray() {
  const [open, setOpen] = useState(false);
  const onPage = here.value.path === "/upload";
  const uploads = onPage ? [] : queue.value.filter(({ step }) => step !== "chosen");
  const scans = [...works.value.values()].filter(({ kind }) => kind !== "upload");
  if (uploads.length === 0 && scans.length === 0) return null;
  const percent = overallPercent.value;
  const left = uploads.filter(({ step }) => step !== "done" && step !== "failed").length;
  return (
    <section class="tray" aria-label={t("tray.label")}>
      {uploads.length > 0 && (
        <>
          <button type="button" class="tray-head" aria-expanded={open} onClick={() => setOpen(!open)}>
            <span>
              {left > 0 ? t("tray.uploading", { count: left }) : t("tray.ended")}
              {percent !== null && <span class="meta">{t("nav.percent", { percent })}</span>}
            </span>
            <span class="caret" aria-hidden="true" />
          </button>
          {!open && percent !== null && <progress max={100} value={percent} aria-label={t("tray.label")} />}
          {open && <UploadProgress />}
        </>
      )}
      {scans.map((work) => (
        <div key={work.id} class="tray-work" role="status">
          <span>
            {work.state === "failed"
              ? t("tray.scan-failed", { name: work.label })
              : work.state === "done"
                ? t("tray.scan-done", { name: work.label })
                : t("tray.scanning", { name: work.label })}
          </span>
          {work.state === "running" && (
            <>
              <span class="meta">
                {work.total === null
                  ? formatNumber(work.done)
                  : t("upload.of", { sent: formatNumber(work.done), size: formatNumber(work.total) })}
              </span>
              <progress
                aria-label={work.label}
                {...(work.total ? { max: work.total, value: Math.min(work.done, work.total) } : {})}
              />
            </>
          )}
        </div>
      ))}
    </section>
  );
}
