import { useId } from "preact/hooks";

interface PasswordFieldProps {
  readonly name: string;
  readonly label: string;
  readonly autocomplete: "current-password" | "new-password";
  readonly hint?: string;
  readonly autofocus?: boolean;
}

/** A field for a password that is there or a new one. */
export function PasswordField({ name, label, autocomplete, hint, autofocus = false }: PasswordFieldProps) {
  const id = useId();
  const isNew = autocomplete === "new-password";
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        name={name}
        type="password"
        autocomplete={autocomplete}
        required
        minLength={isNew ? 8 : 1}
        maxLength={256}
        autofocus={autofocus}
        aria-describedby={hint && `${id}-hint`}
      />
      {hint && <small id={`${id}-hint`}>{hint}</small>}
    </div>
  );
}

/** For password managers: whose password is asked for. */
export function UsernameForManagers({ username }: { username: string }) {
  return (
    <input
      class="visually-hidden"
      name="username"
      autocomplete="username"
      value={username}
      readOnly
      tabIndex={-1}
      aria-hidden="true"
    />
  );
}
