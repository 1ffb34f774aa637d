import type { BuriedTitle } from "../../catalog/contract.ts";
import { call, messageOf } from "../api.ts";
import { None } from "../components/none.tsx";
import { Section } from "../components/section.tsx";
import { useLoaded } from "../components/use-loaded.ts";
import { formatAgo, formatMoment } from "../format-time.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/admin.ts";
import { notify } from "../notices.tsx";

/** Videos of the library that were deleted for good while their files stay; nothing where there are none. */
export function BuriedTitles() {
  const buried = useLoaded(() => call<{ items: readonly BuriedTitle[] }>("GET", "/api/titles/buried"));
  const items = buried.data?.items ?? [];
  const restore = async ({ id, name }: BuriedTitle) => {
    await call("POST", `/api/titles/buried/${id}/restore`);
    await buried.reload();
    notify(t("buried.restored", { name: name ?? id }));
  };
  return (
    <Section layout="below" heading={t("buried.heading")} text={t("buried.why")}>
      {buried.problem && (
        <p class="problem" role="alert">
          {buried.problem}
        </p>
      )}
      <None when={buried.data !== null && items.length === 0}>
        <p class="meta">{t("buried.none")}</p>
      </None>
      <ul class="entries" aria-label={t("buried.heading")}>
        {items.map((title) => (
          <li key={title.id} class="entry">
            <div class="entry-text">
              <span class="entry-name">{title.name ?? t("buried.nameless", { id: title.id })}</span>
              <span class="meta" title={formatMoment(title.purgedAt)}>
                {t("buried.when", { when: formatAgo(title.purgedAt) })}
              </span>
            </div>
            <button
              type="button"
              aria-label={t("buried.restore-which", { name: title.name ?? title.id })}
              onClick={() => void restore(title).catch((error: unknown) => notify(messageOf(error), { kind: "error" }))}
            >
              {t("buried.restore")}
            </button>
          </li>
        ))}
      </ul>
    </Section>
  );
}
