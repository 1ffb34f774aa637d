import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { FormDialog } from "../components/form-dialog.tsx";
import { PasswordField, UsernameForManagers } from "../components/password-field.tsx";
import { SecretDialog } from "../components/secret-dialog.tsx";
import { CopyButton } from "../components/shown-once.tsx";
import { t } from "../i18n/i18n.ts";
import "../messages/en/account.ts";
import { notify } from "../notices.tsx";
import { user } from "../session.ts";
import { QrCode } from "./qr.tsx";

/** Switching the second factor on or off, or making its backup codes anew. */
export type TwoFactorTask = "begin" | "codes" | "end";

interface Begun {
  readonly totpURI: string;
  readonly backupCodes: readonly string[];
}

type Step =
  | { readonly kind: "password" }
  | { readonly kind: "scan"; readonly begun: Begun }
  | { readonly kind: "codes"; readonly codes: readonly string[] };

/** Asks for the password, then goes through what the task takes. */
export function TwoFactorDialog({ task, onClose }: { task: TwoFactorTask; onClose(): void }) {
  const [step, setStep] = useState<Step>({ kind: "password" });
  if (step.kind === "scan")
    return <Scan begun={step.begun} onDone={(codes) => setStep({ kind: "codes", codes })} onClose={onClose} />;
  if (step.kind === "codes") return <Codes codes={step.codes} isNew={task === "begin"} onClose={onClose} />;
  const go = async (fields: FormData) => {
    const body = { password: String(fields.get("password")) };
    if (task === "end") {
      await call("POST", "/api/auth/two-factor/disable", body);
      notify(t("account.two-factor-ended"));
      return undefined;
    }
    if (task === "begin")
      setStep({ kind: "scan", begun: await call<Begun>("POST", "/api/auth/two-factor/enable", body) });
    else {
      const { backupCodes } = await call<Begun>("POST", "/api/auth/two-factor/generate-backup-codes", body);
      setStep({ kind: "codes", codes: backupCodes });
    }
    return "stay" as const;
  };
  return (
    <FormDialog
      heading={t(texts[task].heading)}
      submit={t(texts[task].submit)}
      danger={task === "end"}
      onSubmit={go}
      onClose={onClose}
    >
      <p>{t(texts[task].why)}</p>
      <UsernameForManagers username={user.value?.username ?? ""} />
      <PasswordField name="password" label={t("account.current")} autocomplete="current-password" autofocus />
    </FormDialog>
  );
}

const texts = {
  begin: { heading: "account.two-factor-begin", submit: "account.next", why: "account.two-factor-password" },
  codes: { heading: "account.new-codes", submit: "account.new-codes", why: "account.new-codes-why" },
  end: { heading: "account.two-factor-end", submit: "account.two-factor-end", why: "account.two-factor-end-why" },
} as const;

interface ScanProps {
  readonly begun: Begun;
  onDone(codes: readonly string[]): void;
  onClose(): void;
}

function Scan({ begun: { totpURI, backupCodes }, onDone, onClose }: ScanProps) {
  const secret = new URL(totpURI).searchParams.get("secret") ?? "";
  const confirm = async (fields: FormData) => {
    await call("POST", "/api/auth/two-factor/verify-totp", { code: String(fields.get("code")).replace(/\s/g, "") });
    onDone(backupCodes);
    return "stay" as const;
  };
  return (
    <FormDialog heading={t("account.scan")} submit={t("account.switch-on")} onSubmit={confirm} onClose={onClose}>
      <p>{t("account.scan-how")}</p>
      <QrCode text={totpURI} label={t("account.qr")} />
      <details>
        <summary>{t("account.no-camera")}</summary>
        <p class="secret">
          <code>{secret.replace(/(.{4})(?=.)/g, "$1 ")}</code>
          <CopyButton value={secret} />
        </p>
      </details>
      <label class="field">
        <span>{t("account.first-code")}</span>
        <input
          name="code"
          class="code short"
          inputMode="numeric"
          autocomplete="one-time-code"
          pattern="[0-9 ]{6,7}"
          maxLength={7}
          required
          autofocus
        />
        <small>{t("account.first-code-hint")}</small>
      </label>
    </FormDialog>
  );
}

function Codes({ codes, isNew, onClose }: { codes: readonly string[]; isNew: boolean; onClose(): void }) {
  const text = codes.join("\n");
  return (
    <SecretDialog
      heading={t(isNew ? "account.two-factor-is-on" : "account.backup-codes")}
      text={t("account.backup-codes-why")}
      saved={t("account.saved-all")}
      onClose={onClose}
    >
      <ul class="backup-codes" aria-label={t("account.backup-codes")}>
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div class="actions">
        <CopyButton value={text} />
        <a
          class="button"
          download="kinora-backup-codes.txt"
          href={`data:text/plain;charset=utf-8,${encodeURIComponent(`${text}\n`)}`}
        >
          {t("account.download")}
        </a>
      </div>
    </SecretDialog>
  );
}
