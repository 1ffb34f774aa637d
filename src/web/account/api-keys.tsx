import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { FormDialog } from "../components/form-dialog.tsx";
import { None } from "../components/none.tsx";
import { Skeleton } from "../components/parts.tsx";
import { SecretDialog } from "../components/secret-dialog.tsx";
import { Section } from "../components/section.tsx";
import { ShownOnce } from "../components/shown-once.tsx";
import type { Loaded } from "../components/use-loaded.ts";
import { formatDate } from "../format.ts";
import { formatAgo } from "../format-time.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/account.ts";
import { notify } from "../notices.tsx";

const DAY = 86_400;
/** Days a key may live; 0 for ever. */
const lifetimes = [30, 90, 365, 0] as const;

/** The part of better-auth's API key that is shown. */
export interface ApiKey {
  readonly id: string;
  readonly name: string | null;
  /** Its first characters. */
  readonly start: string | null;
  readonly enabled: boolean;
  readonly createdAt: string;
  readonly lastRequest: string | null;
  readonly expiresAt: string | null;
}

export const loadApiKeys = async () =>
  (await call<{ apiKeys: ApiKey[] }>("GET", "/api/auth/api-key/list")).apiKeys.toSorted((a, b) =>
    b.createdAt.localeCompare(a.createdAt),
  );

type Open =
  | { readonly kind: "new" }
  | { readonly kind: "made"; readonly key: string }
  | { readonly kind: "delete"; readonly key: ApiKey };

/** Keys for programs that act in my name. */
export function ApiKeys({ keys }: { keys: Loaded<readonly ApiKey[]> }) {
  const [open, setOpen] = useState<Open | null>(null);
  const make = async (fields: FormData) => {
    const days = Number(fields.get("days"));
    const body = { name: String(fields.get("name")).trim(), expiresIn: days === 0 ? null : days * DAY };
    const { key } = await call<{ key: string }>("POST", "/api/auth/api-key/create", body);
    await keys.reload();
    setOpen({ kind: "made", key });
    return "stay" as const;
  };
  const remove = async ({ id, name }: ApiKey) => {
    await call("POST", "/api/auth/api-key/delete", { keyId: id });
    await keys.reload();
    notify(t("account.key-deleted", { name: name ?? "" }));
    return undefined;
  };
  const close = () => setOpen(null);
  return (
    <Section heading={t("account.keys")} text={t("account.keys-why")}>
      {keys.problem && (
        <p class="problem" role="alert">
          {keys.problem}
        </p>
      )}
      {!keys.data && !keys.problem && <Skeleton lines={2} />}
      <None when={keys.data?.length === 0}>
        <p class="meta">{t("account.no-keys")}</p>
      </None>
      <ul class="entries">
        {keys.data?.map((key) => (
          <li key={key.id} class="entry">
            <div class="entry-text">
              <span class="entry-name">
                {key.name ?? t("account.key-unnamed")}
                {isOver(key) && <span class="badge warn">{t("account.key-over")}</span>}
              </span>
              <span class="meta">{detailsOf(key)}</span>
            </div>
            <button
              type="button"
              class="plain"
              aria-label={t("account.delete-key", { name: key.name ?? t("account.key-unnamed") })}
              onClick={() => setOpen({ kind: "delete", key })}
            >
              {t("do.delete")}
            </button>
          </li>
        ))}
      </ul>
      <div class="actions">
        <button type="button" onClick={() => setOpen({ kind: "new" })}>
          {t("account.new-key")}
        </button>
      </div>
      {open?.kind === "new" && <NewKey onSubmit={make} onClose={close} />}
      {open?.kind === "made" && (
        <SecretDialog
          heading={t("account.key-made")}
          text={t("account.key-once")}
          saved={t("account.saved")}
          onClose={close}
        >
          <ShownOnce label={t("account.key")} value={open.key} />
          <p class="meta">{t("account.key-use")}</p>
        </SecretDialog>
      )}
      {open?.kind === "delete" && (
        <FormDialog
          heading={t("account.delete-key", { name: open.key.name ?? t("account.key-unnamed") })}
          submit={t("do.delete")}
          danger
          onSubmit={() => remove(open.key)}
          onClose={close}
        >
          <p>{t("account.delete-key-why")}</p>
        </FormDialog>
      )}
    </Section>
  );
}

interface NewKeyProps {
  onSubmit(fields: FormData): Promise<"stay">;
  onClose(): void;
}

function NewKey({ onSubmit, onClose }: NewKeyProps) {
  return (
    <FormDialog heading={t("account.new-key")} submit={t("account.make-key")} onSubmit={onSubmit} onClose={onClose}>
      <label class="field">
        <span>{t("account.key-name")}</span>
        <input name="name" required maxLength={32} autocomplete="off" autofocus />
        <small>{t("account.key-name-hint")}</small>
      </label>
      <label class="field">
        <span>{t("account.key-lifetime")}</span>
        <select name="days" defaultValue="90">
          {lifetimes.map((days) => (
            <option key={days} value={days} selected={days === 90}>
              {days === 0 ? t("account.for-ever") : t("account.days", { count: days })}
            </option>
          ))}
        </select>
      </label>
    </FormDialog>
  );
}

const isOver = ({ expiresAt, enabled }: ApiKey) =>
  !enabled || (expiresAt !== null && Date.parse(expiresAt) < Date.now());

function detailsOf({ start, createdAt, lastRequest, expiresAt }: ApiKey): string {
  const parts = [
    start && `${start}…`,
    lastRequest ? t("account.last-used", { when: formatAgo(lastRequest) }) : t("account.never-used"),
    t("account.made-on", { date: formatDate(createdAt) }),
    expiresAt ? t("account.until", { date: formatDate(expiresAt) }) : t("account.no-end"),
  ];
  return parts.filter((part) => part).join(" · ");
}
