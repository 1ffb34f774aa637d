import { useState } from "preact/hooks";
import { call, messageOf } from "../api.ts";
import { FormDialog } from "../components/form-dialog.tsx";
import { None } from "../components/none.tsx";
import { Skeleton } from "../components/parts.tsx";
import { SecretDialog } from "../components/secret-dialog.tsx";
import { Section } from "../components/section.tsx";
import { ShownOnce } from "../components/shown-once.tsx";
import { useLoaded } from "../components/use-loaded.ts";
import { formatMoment } from "../format-time.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/account.ts";
import "../messages/en/admin.ts";
import { notify } from "../notices.tsx";
import { Problem } from "./problem.tsx";
import { RoleChoice } from "./role-choice.tsx";
import { type Role, roleIn } from "./roles.ts";

interface Invite {
  readonly id: string;
  readonly role: Role;
  readonly createdBy: string | null;
  readonly used: boolean;
  readonly usedBy: string | null;
  readonly createdAt: string;
  readonly expiresAt: string;
}

const HOUR = 3600;
const lifetimes = [
  [HOUR, () => t("invites.hours", { count: 1 })],
  [24 * HOUR, () => t("invites.days", { count: 1 })],
  [7 * 24 * HOUR, () => t("invites.days", { count: 7 })],
  [30 * 24 * HOUR, () => t("invites.days", { count: 30 })],
] as const;
const USUAL = 7 * 24 * HOUR;

/** Invitations: made, shown once, revoked. */
export function Invites() {
  const invites = useLoaded(async () => (await call<{ items: Invite[] }>("GET", "/api/invites")).items);
  const [asking, setAsking] = useState(false);
  const [code, setCode] = useState<string | null>(null);
  const make = async (fields: FormData) => {
    const body = { role: roleIn(fields), expiresIn: Number(fields.get("lifetime")) };
    const made = await call<{ code: string }>("POST", "/api/invites", body);
    setAsking(false);
    setCode(made.code);
    await invites.reload();
    return "stay" as const;
  };
  const revoke = async ({ id }: Invite) => {
    await call("DELETE", `/api/invites/${id}`);
    await invites.reload();
    notify(t("invites.revoked"));
  };
  return (
    <Section
      layout="below"
      heading={t("invites.heading")}
      text={t("invites.why")}
      action={
        <button type="button" onClick={() => setAsking(true)}>
          {t("invites.new")}
        </button>
      }
    >
      {invites.problem && <Problem text={invites.problem} onRetry={() => void invites.reload()} />}
      {!invites.data && !invites.problem && <Skeleton lines={2} />}
      <None when={invites.data?.length === 0}>
        <p class="meta">{t("invites.none")}</p>
      </None>
      <ul class="entries" aria-label={t("invites.heading")}>
        {invites.data?.map((invite) => (
          <InviteEntry
            key={invite.id}
            invite={invite}
            onRevoke={() => void revoke(invite).catch((error: unknown) => notify(messageOf(error), { kind: "error" }))}
          />
        ))}
      </ul>
      {asking && (
        <FormDialog
          heading={t("invites.new")}
          submit={t("invites.make")}
          onSubmit={make}
          onClose={() => setAsking(false)}
        >
          <RoleChoice chosen="editor" />
          <label class="field">
            <span>{t("invites.lifetime")}</span>
            <select name="lifetime">
              {lifetimes.map(([seconds, text]) => (
                <option key={seconds} value={seconds} selected={seconds === USUAL}>
                  {text()}
                </option>
              ))}
            </select>
          </label>
        </FormDialog>
      )}
      {code && <Made code={code} onClose={() => setCode(null)} />}
    </Section>
  );
}

function InviteEntry({ invite, onRevoke }: { invite: Invite; onRevoke(): void }) {
  const { role, createdBy, used, usedBy, createdAt, expiresAt } = invite;
  const date = formatMoment(createdAt);
  const parts = [
    createdBy && t("invites.by", { name: createdBy }),
    used ? (usedBy ? t("invites.used-by", { name: usedBy }) : t("invites.used")) : null,
    used ? null : t("invites.until", { date: formatMoment(expiresAt) }),
  ];
  return (
    <li class={`entry ${used ? "off" : ""}`}>
      <div class="entry-text">
        <span class="entry-name">
          {t("invites.of", { date })}
          <span class="badge">{t(`users.role-${role}`)}</span>
        </span>
        <span class="meta">{parts.filter((part) => part).join(" · ")}</span>
      </div>
      {!used && (
        <button type="button" class="plain" aria-label={t("invites.revoke-which", { date })} onClick={onRevoke}>
          {t("invites.revoke")}
        </button>
      )}
    </li>
  );
}

function Made({ code, onClose }: { code: string; onClose(): void }) {
  return (
    <SecretDialog heading={t("invites.made")} text={t("invites.once")} saved={t("account.saved")} onClose={onClose}>
      <ShownOnce label={t("invites.link")} value={`${location.origin}/sign-in?invite=${encodeURIComponent(code)}`} />
      <ShownOnce label={t("invites.code")} value={code} />
    </SecretDialog>
  );
}
