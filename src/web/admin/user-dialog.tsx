import { ApiError, call } from "../api.ts";
import { FormDialog } from "../components/form-dialog.tsx";
import { PasswordField } from "../components/password-field.tsx";
import { t } from "../i18n/i18n.ts";
import "../messages/en/account.ts";
import "../messages/en/admin.ts";
import { notify } from "../notices.tsx";
import { DeleteUser } from "./delete-user.tsx";
import { RoleChoice } from "./role-choice.tsx";
import { roleIn } from "./roles.ts";
import type { Account } from "./users.tsx";

/** What an administrator does with an account. */
export type UserTask =
  | { readonly kind: "new" }
  | { readonly kind: "role" | "password" | "two-factor" | "state" | "delete"; readonly account: Account };

interface TaskProps {
  readonly account: Account;
  onClose(hasChanged: boolean): void;
}

/** Asks for what the task takes, or whether one is sure, and does it. */
export function UserDialog({ task, onClose }: { task: UserTask; onClose(hasChanged: boolean): void }) {
  if (task.kind === "new") return <NewUser onClose={onClose} />;
  const Task = tasks[task.kind];
  return <Task account={task.account} onClose={onClose} />;
}

const change = (account: Account, body: object) => call("PATCH", `/api/users/${account.id}`, body);

/** Changes the account, says so, and closes the dialog. */
async function carryOut(work: Promise<unknown>, said: string, onClose: (hasChanged: boolean) => void): Promise<"stay"> {
  await work;
  notify(said);
  onClose(true);
  return "stay";
}

function NewUser({ onClose }: Pick<TaskProps, "onClose">) {
  const create = (fields: FormData) => {
    const name = String(fields.get("name")).trim().toLowerCase();
    const body = { username: name, password: String(fields.get("password")), role: roleIn(fields) };
    const created = call("POST", "/api/users", body).catch((error: unknown) => {
      throw error instanceof ApiError && error.code === "conflict" ? new Error(t("users.taken")) : error;
    });
    return carryOut(created, t("users.created", { name }), onClose);
  };
  return (
    <FormDialog heading={t("users.new")} submit={t("users.new")} onSubmit={create} onClose={() => onClose(false)}>
      <label class="field">
        <span>{t("users.name")}</span>
        <input
          name="name"
          required
          maxLength={64}
          pattern="[A-Za-z0-9._\-]{2,64}"
          autocapitalize="none"
          autocomplete="off"
          spellcheck={false}
          autofocus
        />
      </label>
      <PasswordField name="password" label={t("users.password")} autocomplete="new-password" hint={t("account.rule")} />
      <RoleChoice chosen="editor" />
    </FormDialog>
  );
}

function ChangeRole({ account, onClose }: TaskProps) {
  const name = account.username;
  return (
    <FormDialog
      heading={t("users.role-of", { name })}
      submit={t("do.save")}
      onSubmit={(fields) =>
        carryOut(change(account, { role: roleIn(fields) }), t("users.role-changed", { name }), onClose)
      }
      onClose={() => onClose(false)}
    >
      <RoleChoice chosen={account.role} />
    </FormDialog>
  );
}

function ResetPassword({ account, onClose }: TaskProps) {
  const name = account.username;
  const reset = (fields: FormData) =>
    carryOut(change(account, { password: String(fields.get("password")) }), t("users.reset-done", { name }), onClose);
  return (
    <FormDialog
      heading={t("users.reset-heading", { name })}
      submit={t("users.reset-password")}
      onSubmit={reset}
      onClose={() => onClose(false)}
    >
      <p>{t("users.reset-why", { name })}</p>
      <PasswordField
        name="password"
        label={t("account.new")}
        autocomplete="new-password"
        hint={t("account.rule")}
        autofocus
      />
    </FormDialog>
  );
}

function EndTwoFactor({ account, onClose }: TaskProps) {
  const name = account.username;
  return (
    <FormDialog
      heading={t("users.end-two-factor")}
      submit={t("users.end-two-factor")}
      danger
      onSubmit={() => carryOut(change(account, { twoFactor: false }), t("users.two-factor-ended", { name }), onClose)}
      onClose={() => onClose(false)}
    >
      <p>{t("users.end-two-factor-why", { name })}</p>
    </FormDialog>
  );
}

function ChangeState({ account, onClose }: TaskProps) {
  const name = account.username;
  const { disabled } = account;
  const said = t(disabled ? "users.is-enabled" : "users.is-disabled", { name });
  return (
    <FormDialog
      heading={disabled ? t("users.enable") : t("users.disable-heading", { name })}
      submit={t(disabled ? "users.enable" : "users.disable")}
      danger={!disabled}
      onSubmit={() => carryOut(change(account, { disabled: !disabled }), said, onClose)}
      onClose={() => onClose(false)}
    >
      <p>{disabled ? name : t("users.disable-why", { name })}</p>
    </FormDialog>
  );
}

const tasks = {
  role: ChangeRole,
  password: ResetPassword,
  "two-factor": EndTwoFactor,
  state: ChangeState,
  delete: DeleteUser,
} as const;
