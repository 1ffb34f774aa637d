import { rich, t } from "../i18n/i18n.ts";
import "../messages/en/account.ts";
import { useRef, useState } from "preact/hooks";
import { ApiError, messageOf } from "../api.ts";
import { Heading } from "../components/heading.tsx";
import { notify } from "../notices.tsx";
import { changePassword, signOut, user } from "../session.ts";

/** Who I am, my password, and the way out. */
export function AccountPage() {
  const who = user.value;
  if (!who) return null;
  const leave = () => {
    signOut().catch((error: unknown) => notify(messageOf(error), { kind: "error" }));
  };
  return (
    <section class="account" aria-label={t("account.heading")}>
      <Heading title={t("account.heading")} />
      <p class="lead">
        {rich(`account.signed-in-${who.role}`, { b: (text) => <strong>{text}</strong> }, { name: who.username })}
      </p>
      <PasswordForm username={who.username} />
      <div class="account-end">
        <button type="button" onClick={leave}>
          {t("nav.sign-out")}
        </button>
      </div>
    </section>
  );
}

function PasswordForm({ username }: { username: string }) {
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(fields.get(name) ?? "");
    setProblem(null);
    if (text("next") !== text("again")) return setProblem(t("account.not-same"));
    setBusy(true);
    try {
      await changePassword(text("current"), text("next"));
      form.current?.reset();
      notify(t("account.changed"));
    } catch (error) {
      setProblem(explain(error));
    }
    setBusy(false);
  };
  return (
    <form ref={form} onSubmit={(event) => void submit(event)} aria-label={t("account.change-password")}>
      <h2>{t("account.change-password")}</h2>
      {/* For password managers: whose password it is. */}
      <input
        class="visually-hidden"
        name="username"
        autocomplete="username"
        value={username}
        readOnly
        tabIndex={-1}
        aria-hidden="true"
      />
      <PasswordField name="current" label={t("account.current")} autocomplete="current-password" />
      <PasswordField name="next" label={t("account.new")} autocomplete="new-password" hint={t("account.rule")} />
      <PasswordField name="again" label={t("account.again")} autocomplete="new-password" />
      <p class="problem" role="alert">
        {problem}
      </p>
      <div class="actions">
        <button type="submit" class="primary" disabled={busy}>
          {t("account.change-password")}
        </button>
      </div>
    </form>
  );
}

interface PasswordFieldProps {
  readonly name: string;
  readonly label: string;
  readonly autocomplete: "current-password" | "new-password";
  readonly hint?: string;
}

function PasswordField({ name, label, autocomplete, hint }: PasswordFieldProps) {
  const isNew = autocomplete === "new-password";
  return (
    <div class="field">
      <label for={`password-${name}`}>{label}</label>
      <input
        id={`password-${name}`}
        name={name}
        type="password"
        autocomplete={autocomplete}
        required
        minLength={isNew ? 8 : 1}
        maxLength={256}
        aria-describedby={hint && `password-${name}-hint`}
      />
      {hint && <small id={`password-${name}-hint`}>{hint}</small>}
    </div>
  );
}

function explain(error: unknown): string {
  if (error instanceof ApiError && error.status === 429) {
    return t("error.too-many", { seconds: error.retryAfterSeconds ?? 30 });
  }
  return messageOf(error);
}
