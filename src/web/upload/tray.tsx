import { useEffect, useState } from "preact/hooks";
import { works } from "../events.ts";
import { formatNumber, t } from "../i18n/i18n.ts";
import "../messages/en/upload.ts";
import { UploadProgress } from "../pages/upload-progress.tsx";
import { here } from "../router.ts";
import { clearEnded } from "./queue.ts";
import { overallPercent, queue } from "./state.ts";

/** What is on its way, wherever one is: uploads of this browser, and what the server says of scans and other work. */
export function Tray() {
  const [open, setOpen] = useState(false);
  const [closed, setClosed] = useState(false);
  const { path } = here.value;
  const sent = queue.value.filter(({ step }) => step !== "chosen");
  const left = sent.filter(({ step }) => step !== "done" && step !== "failed").length;
  const failed = sent.filter(({ step }) => step === "failed").length;
  const uploads = path === "/upload" || (closed && left === 0) ? [] : sent;
  const scans = [...works.value.values()].filter(({ kind }) => kind !== "upload");
  useEffect(() => {
    if (left > 0) setClosed(false);
    // What is over does not lie on the next page.
    else setOpen(false);
  }, [left > 0, path]);
  if (uploads.length === 0 && scans.length === 0) return null;
  const percent = overallPercent.value;
  return (
    <section class="tray" aria-label={t("tray.label")}>
      {uploads.length > 0 && (
        <>
          <div class="tray-line">
            <button type="button" class="tray-head" aria-expanded={open} onClick={() => setOpen(!open)}>
              <span>
                {left > 0 ? t("tray.uploading", { count: left }) : t("tray.ended")}
                {percent !== null && <span class="meta">{t("nav.percent", { percent })}</span>}
                {failed > 0 && <span class="meta">{t("tray.failed", { count: failed })}</span>}
              </span>
              <span class="caret" aria-hidden="true" />
            </button>
            {left === 0 && (
              <button
                type="button"
                class="plain close"
                aria-label={t("do.close")}
                onClick={() => {
                  setOpen(false);
                  setClosed(true);
                }}
              >
                ×
              </button>
            )}
          </div>
          {!open && percent !== null && <progress max={100} value={percent} aria-label={t("tray.label")} />}
          {open && left === 0 && (
            <button type="button" onClick={clearEnded}>
              {t("tray.clear")}
            </button>
          )}
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
