import { useEffect } from "preact/hooks";
import type { DeletedTitle } from "../../catalog/contract.ts";
import { call, messageOf } from "../api.ts";
import { Skeleton } from "../components/parts.tsx";
import { Section } from "../components/section.tsx";
import { useLoaded } from "../components/use-loaded.ts";
import { formatBytes } from "../format.ts";
import { formatAgo, formatMoment } from "../format-time.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/account.ts";
import { notify } from "../notices.tsx";
import { here } from "../router.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface Deleted {
  readonly items: readonly DeletedTitle[];
  /** How long deleted videos are kept. */
  readonly keepSeconds: number;
}

/** Videos that were deleted and can be brought back. */
export function DeletedTitles() {
  const deleted = useLoaded(() => call<Deleted>("GET", "/api/titles/deleted"));
  const restore = async ({ id, name }: DeletedTitle) => {
    await call("POST", `/api/titles/${id}/restore`);
    await deleted.reload();
    notify(t("account.restored", { name }));
  };
  const { data } = deleted;
  const isThere = data !== null;
  useEffect(() => {
    if (!isThere || here.peek().query.get("show") !== "deleted") return;
    const heading = document.querySelector<HTMLElement>("#deleted h2");
    heading?.scrollIntoView({ block: "start" });
    heading?.focus({ preventScroll: true });
  }, [isThere]);
  return (
    <Section
      id="deleted"
      heading={t("account.deleted")}
      text={data ? t("account.deleted-why", { span: spanOf(data.keepSeconds) }) : ""}
    >
      {deleted.problem && (
        <p class="problem" role="alert">
          {deleted.problem}
        </p>
      )}
      {!data && !deleted.problem && <Skeleton lines={1} />}
      {data?.items.length === 0 && <p class="meta">{t("account.nothing-deleted")}</p>}
      <ul class="entries" aria-label={t("account.deleted")}>
        {data?.items.map((title) => (
          <li key={title.id} class="entry">
            <div class="entry-text">
              <span class="entry-name">
                {title.name}
                {title.owner === null && <span class="badge">{t("account.of-library")}</span>}
              </span>
              <span class="meta" title={formatMoment(title.deletedAt)}>
                {[
                  t("account.deleted-when", { when: formatAgo(title.deletedAt) }),
                  t("account.until", { date: formatMoment(title.until) }),
                  formatBytes(title.sizeBytes),
                ].join(" · ")}
              </span>
            </div>
            <button
              type="button"
              aria-label={t("account.restore-which", { name: title.name })}
              onClick={() => void restore(title).catch((error: unknown) => notify(messageOf(error), { kind: "error" }))}
            >
              {t("account.restore")}
            </button>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** In the largest unit that it is a whole number of. */
function spanOf(seconds: number): string {
  if (seconds % DAY === 0) return t("account.days", { count: seconds / DAY });
  if (seconds % HOUR === 0) return t("account.hours", { count: seconds / HOUR });
  return t("account.minutes", { count: Math.round(seconds / MINUTE) });
}
