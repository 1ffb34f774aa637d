import { t } from "../i18n/i18n.ts";
import { type Role, roles } from "./roles.ts";
import "../messages/en/admin.ts";

/** Chooses a role; the choice is the form's field `role`. */
export function RoleChoice({ chosen }: { chosen: Role }) {
  return (
    <fieldset>
      <legend>{t("users.role")}</legend>
      {roles.map((role) => (
        <label key={role} class="choice">
          <input type="radio" name="role" value={role} defaultChecked={role === chosen} />
          <span>
            {t(`users.role-${role}`)}
            <small class="choice-text">{t(`users.role-${role}-is`)}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
