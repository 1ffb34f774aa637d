import { call, messageOf } from "../api.ts";
import { None } from "../components/none.tsx";
import { Skeleton } from "../components/parts.tsx";
import { Section } from "../components/section.tsx";
import type { Loaded } from "../components/use-loaded.ts";
import { formatDate } from "../format.ts";
import { formatAgo, formatMoment } from "../format-time.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/account.ts";
import { notify } from "../notices.tsx";
import { deviceOf } from "./device.ts";

export interface Session {
  readonly id: string;
  readonly current: boolean;
  readonly userAgent: string | null;
  readonly ipAddress: string | null;
  readonly createdAt: string;
  readonly lastSeenAt: string;
}

export const loadSessions = async () => (await call<{ items: Session[] }>("GET", "/api/sessions")).items;

/** Where I am signed in, and the way to end that. */
export function Sessions({ sessions }: { sessions: Loaded<readonly Session[]> }) {
  const fail = (error: unknown) => notify(messageOf(error), { kind: "error" });
  const others = sessions.data?.filter(({ current }) => !current) ?? [];
  const done = async (text: string) => {
    await sessions.reload();
    notify(text);
  };
  const end = async ({ id }: Session) => {
    await call("DELETE", `/api/sessions/${id}`);
    await done(t("account.session-ended"));
  };
  const endOthers = async () => {
    const { ended } = await call<{ ended: number }>("DELETE", "/api/sessions");
    await done(t("account.sessions-ended", { count: ended }));
  };
  return (
    <Section heading={t("account.sessions")} text={t("account.sessions-why")}>
      {sessions.problem && (
        <p class="problem" role="alert">
          {sessions.problem}
        </p>
      )}
      {!sessions.data && !sessions.problem && <Skeleton />}
      <ul class="entries">
        {sessions.data?.map((session) => (
          <li key={session.id} class="entry">
            <div class="entry-text">
              <span class="entry-name">
                {nameOf(session)}
                {session.current && <span class="badge">{t("account.this-one")}</span>}
              </span>
              <span class="meta" title={formatMoment(session.lastSeenAt)}>
                {detailsOf(session)}
              </span>
            </div>
            {!session.current && (
              <button
                type="button"
                class="plain"
                aria-label={t("account.end-session", { name: nameOf(session) })}
                onClick={() => void end(session).catch(fail)}
              >
                {t("nav.sign-out")}
              </button>
            )}
          </li>
        ))}
      </ul>
      <None when={sessions.data !== null && others.length === 0}>
        <p class="meta">{t("account.only-here")}</p>
      </None>
      {others.length > 0 && (
        <div class="actions">
          <button type="button" onClick={() => void endOthers().catch(fail)}>
            {t("account.end-others")}
          </button>
        </div>
      )}
    </Section>
  );
}

function nameOf({ userAgent }: Session): string {
  const { program, system } = deviceOf(userAgent);
  if (program && system) return t("account.device", { program, system });
  return program ?? system ?? t("account.unknown-device");
}

function detailsOf({ current, lastSeenAt, ipAddress, createdAt }: Session): string {
  const parts = [
    current ? null : t("account.last-used", { when: formatAgo(lastSeenAt) }),
    ipAddress && t("account.from", { address: ipAddress }),
    t("account.since", { date: formatDate(createdAt) }),
  ];
  return parts.filter((part) => part).join(" · ");
}
