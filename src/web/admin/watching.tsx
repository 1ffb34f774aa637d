import type { Watched } from "../../streaming/contract.ts";
import { call } from "../api.ts";
import { Skeleton } from "../components/parts.tsx";
import { Section } from "../components/section.tsx";
import { useLoaded } from "../components/use-loaded.ts";
import { formatBytes } from "../format.ts";
import { formatAgo, formatMoment } from "../format-time.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/admin.ts";
import { Problem } from "./problem.tsx";
import { useRefreshed } from "./use-refreshed.ts";

/** Requests are counted as they come, and told of by nobody. */
const EVERY_MS = 10_000;

/** Who watches what in browsers and by links. */
export function WatchingList() {
  const watching = useLoaded(async () => (await call<{ items: Watched[] }>("GET", "/api/watching")).items);
  useRefreshed(watching.reload, EVERY_MS);
  return (
    <Section layout="below" heading={t("watching.heading")} text={t("watching.why")}>
      {watching.problem && <Problem text={watching.problem} onRetry={() => void watching.reload()} />}
      {!watching.data && !watching.problem && <Skeleton lines={3} />}
      <p class="meta" role="status">
        {watching.data?.length === 0 && t("watching.none")}
      </p>
      <ul class="entries" aria-label={t("watching.heading")}>
        {watching.data?.map((viewing) => (
          <WatchedEntry key={viewing.id} viewing={viewing} />
        ))}
      </ul>
    </Section>
  );
}

function WatchedEntry({ viewing }: { viewing: Watched }) {
  const { title, protocol, since, bytes } = viewing;
  const parts = [
    t("watching.by", {
      who: whoOf(viewing),
      protocol: protocol === "file" ? t("watching.file") : protocol.toUpperCase(),
    }),
    t("streams.since", { when: formatAgo(since) }),
    bytes === null ? null : formatBytes(bytes),
  ];
  return (
    <li class="entry">
      <div class="entry-text">
        <span class="entry-name">
          <a href={`/watch/${title.id}`}>{title.name}</a>
        </span>
        <span class="meta" title={formatMoment(since)}>
          {parts.filter((part) => part).join(" · ")}
        </span>
      </div>
    </li>
  );
}

function whoOf({ user, by }: Watched): string {
  if (by === "public") return t("watching.public");
  if (by === "link") return t("watching.link", { name: user?.username ?? "?" });
  return user?.username ?? "?";
}
