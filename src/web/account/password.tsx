import { useRef, useState } from "preact/hooks";
import { explain } from "../components/form-dialog.tsx";
import { PasswordField, UsernameForManagers } from "../components/password-field.tsx";
import { Section } from "../components/section.tsx";
import { t } from "../i18n/i18n.ts";
import "../messages/en/account.ts";
import { notify } from "../notices.tsx";
import { changePassword } from "../session.ts";

/** A new password, which ends everything else that is signed in. */
export function Password({ username, onChanged }: { username: string; onChanged(): void }) {
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (busy) return;
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(fields.get(name) ?? "");
    setProblem(null);
    if (text("next") !== text("again")) return setProblem(t("account.not-same"));
    setBusy(true);
    try {
      await changePassword(text("current"), text("next"));
      form.current?.reset();
      notify(t("account.changed"));
      onChanged();
    } catch (error) {
      setProblem(explain(error));
    }
    setBusy(false);
  };
  return (
    <Section heading={t("account.change-password")} text={t("account.change-password-why")}>
      <form ref={form} onSubmit={(event) => void submit(event)} aria-label={t("account.change-password")}>
        <UsernameForManagers username={username} />
        <PasswordField name="current" label={t("account.current")} autocomplete="current-password" />
        <PasswordField name="next" label={t("account.new")} autocomplete="new-password" hint={t("account.rule")} />
        <PasswordField name="again" label={t("account.again")} autocomplete="new-password" />
        <p class="problem" role="alert">
          {problem}
        </p>
        <div class="actions">
          <button type="submit" class="primary" aria-disabled={busy}>
            {t("account.change-password")}
          </button>
        </div>
      </form>
    </Section>
  );
}
