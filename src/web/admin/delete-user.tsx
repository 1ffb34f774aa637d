import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { FormDialog } from "../components/form-dialog.tsx";
import { useLoaded } from "../components/use-loaded.ts";
import { formatBytes } from "../format.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/admin.ts";
import { notify } from "../notices.tsx";
import { user } from "../session.ts";
import { loadStorage } from "./storage.tsx";
import { type Account, loadUsers } from "./users.tsx";

/** More accounts than anybody chooses from in a list. */
const PAGES = 10;

interface DeleteUserProps {
  readonly account: Account;
  onClose(hasChanged: boolean): void;
}

/** Asks what becomes of somebody's videos, and deletes the account. */
export function DeleteUser({ account, onClose }: DeleteUserProps) {
  const name = account.username;
  const [isGiven, setGiven] = useState(true);
  const storage = useLoaded(loadStorage);
  const heirs = useLoaded(() => loadHeirs(account));
  const own = storage.data?.owners.find((owner) => owner.user.id === account.id);
  const remove = async (fields: FormData) => {
    const heir = isGiven ? heirs.data?.find(({ id }) => id === fields.get("heir")) : undefined;
    await call("DELETE", `/api/users/${account.id}${heir ? `?videosTo=${heir.id}` : ""}`);
    notify(heir ? t("users.deleted-given", { name, heir: heir.username }) : t("users.deleted", { name }));
    onClose(true);
    return "stay" as const;
  };
  return (
    <FormDialog
      heading={t("users.delete-heading", { name })}
      submit={t("users.delete")}
      danger
      isReady={!isGiven || heirs.data !== null}
      onSubmit={remove}
      onClose={() => onClose(false)}
    >
      <p aria-live="polite">
        {storage.data === null
          ? (storage.problem ?? t("app.loading"))
          : own
            ? t("users.has-videos", { count: own.files, size: formatBytes(own.bytes), name })
            : t("users.has-nothing", { name })}
      </p>
      <fieldset>
        <legend>{t("users.videos")}</legend>
        <label class="choice">
          <input type="radio" name="fate" checked={isGiven} onChange={() => setGiven(true)} />
          <span>
            {t("users.give")}
            <small class="choice-text">{t("users.give-why")}</small>
          </span>
        </label>
        {isGiven && (
          <label class="field choice-more">
            <span>{t("users.heir")}</span>
            <select name="heir" disabled={heirs.data === null}>
              {heirs.data?.map(({ id, username }) => (
                <option key={id} value={id}>
                  {id === user.value?.id ? t("users.heir-you", { name: username }) : username}
                </option>
              ))}
            </select>
            {heirs.problem && <small>{heirs.problem}</small>}
          </label>
        )}
        <label class="choice">
          <input type="radio" name="fate" checked={!isGiven} onChange={() => setGiven(false)} />
          <span>
            {t("users.delete-too")}
            <small class="choice-text">{t("users.delete-too-why")}</small>
          </span>
        </label>
      </fieldset>
      <p class="meta">{t("users.delete-why")}</p>
    </FormDialog>
  );
}

/** Who may have videos: whoever asks first, then the others in the order of their names. */
async function loadHeirs({ id: deleted }: Account): Promise<readonly Account[]> {
  const { items } = await loadUsers("", PAGES);
  const me = user.value?.id;
  return items
    .filter(({ id, role, disabled }) => id !== deleted && role !== "viewer" && !disabled)
    .toSorted((a, b) => Number(b.id === me) - Number(a.id === me) || a.username.localeCompare(b.username));
}
