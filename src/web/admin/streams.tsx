import { useEffect } from "preact/hooks";
import type { StreamSummary } from "../../streaming/contract.ts";
import { call, messageOf } from "../api.ts";
import { Skeleton } from "../components/parts.tsx";
import { Section } from "../components/section.tsx";
import { useLoaded } from "../components/use-loaded.ts";
import { streamChanges } from "../events.ts";
import { formatAgo, formatMoment } from "../format-time.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/admin.ts";
import { notify } from "../notices.tsx";
import { Problem } from "./problem.tsx";
import { useRefreshed } from "./use-refreshed.ts";
import { WatchingList } from "./watching.tsx";

/** Changes are told; this is for what was missed, and for the times that are shown. */
const EVERY_MS = 15_000;

/** What is being watched, and what is streamed under control. */
export function StreamsPage() {
  return (
    <>
      <WatchingList />
      <ControlledStreams />
    </>
  );
}

/** What controllers steer, to whom; and the end of it. */
function ControlledStreams() {
  const streams = useLoaded(async () => (await call<{ items: StreamSummary[] }>("GET", "/api/streams")).items);
  useRefreshed(streams.reload, EVERY_MS);
  useEffect(() => {
    if (streamChanges.value > 0) void streams.reload();
  }, [streamChanges.value]);
  const stop = async ({ id, user }: StreamSummary) => {
    await call("DELETE", `/api/streams/${id}`);
    await streams.reload();
    notify(t("streams.stopped", { name: user.username }));
  };
  return (
    <Section layout="below" heading={t("streams.heading")} text={t("streams.why")}>
      {streams.problem && <Problem text={streams.problem} onRetry={() => void streams.reload()} />}
      {!streams.data && !streams.problem && <Skeleton lines={3} />}
      <p class="meta" role="status">
        {streams.data?.length === 0 && t("streams.none")}
      </p>
      <ul class="entries" aria-label={t("streams.heading")}>
        {streams.data?.map((stream) => (
          <StreamEntry
            key={stream.id}
            stream={stream}
            onStop={() => void stop(stream).catch((error: unknown) => notify(messageOf(error), { kind: "error" }))}
          />
        ))}
      </ul>
    </Section>
  );
}

function StreamEntry({ stream, onStop }: { stream: StreamSummary; onStop(): void }) {
  const { title, user, protocol, state, createdAt } = stream;
  return (
    <li class="entry">
      <div class="entry-text">
        <span class="entry-name">
          <a href={`/watch/${title.id}`}>{title.name}</a>
          {state !== "running" && <span class="badge">{t(`streams.state-${state}`)}</span>}
        </span>
        <span class="meta" title={formatMoment(createdAt)}>
          {t("streams.by", { name: user.username, protocol: protocol.toUpperCase() })} ·{" "}
          {t("streams.since", { when: formatAgo(createdAt) })}
        </span>
      </div>
      <button
        type="button"
        class="danger"
        aria-label={t("streams.stop-which", { title: title.name, name: user.username })}
        onClick={onStop}
      >
        {t("streams.stop")}
      </button>
    </li>
  );
}
