import { useRef, useState } from "preact/hooks";
import { ApiError, messageOf } from "../api.ts";
import { Heading } from "../components/heading.tsx";
import { notify } from "../notices.tsx";
import { changePassword, signOut, user } from "../session.ts";

const roles = { admin: "administrator", editor: "may watch and upload", viewer: "may watch" } as const;

/** Who I am, my password, and the way out. */
export function AccountPage() {
  const who = user.value;
  if (!who) return null;
  const leave = () => {
    signOut().catch((error: unknown) => notify(messageOf(error), { kind: "error" }));
  };
  return (
    <section class="account" aria-label="Account">
      <Heading title="Account" />
      <p class="lead">
        Signed in as <strong>{who.username}</strong>, {roles[who.role]}.
      </p>
      <PasswordForm username={who.username} />
      <div class="account-end">
        <button type="button" onClick={leave}>
          Sign out
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
    if (text("next") !== text("again")) return setProblem("The two new passwords are not the same.");
    setBusy(true);
    try {
      await changePassword(text("current"), text("next"));
      form.current?.reset();
      notify("Password changed. You are signed out everywhere else.");
    } catch (error) {
      setProblem(explain(error));
    }
    setBusy(false);
  };
  return (
    <form ref={form} onSubmit={(event) => void submit(event)} aria-label="Change password">
      <h2>Change password</h2>
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
      <PasswordField name="current" label="Current password" autocomplete="current-password" />
      <PasswordField name="next" label="New password" autocomplete="new-password" hint="8 characters or more" />
      <PasswordField name="again" label="New password, once more" autocomplete="new-password" />
      <p class="problem" role="alert">
        {problem}
      </p>
      <div class="actions">
        <button type="submit" class="primary" disabled={busy}>
          Change password
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
    return `Too many attempts. Try again in ${error.retryAfterSeconds ?? 30} s.`;
  }
  return messageOf(error);
}
