import type { User } from "../../auth/contract.ts";
import { messageOf } from "../api.ts";
import { chooseLanguage, type Key, language, t } from "../i18n/i18n.ts";
import "../messages/en/account.ts";
import { languages } from "../i18n/languages.ts";
import { notify } from "../notices.tsx";
import { here } from "../router.ts";
import { signOut } from "../session.ts";
import { chooseTheme, theme, themes } from "../theme.ts";

/** The pages of administrators. */
export const adminPages: readonly {
  readonly to: string;
  readonly label: Exclude<Key & `nav.${string}`, "nav.percent" | "nav.account-of">;
}[] = [
  { to: "/admin/users", label: "nav.users" },
  { to: "/admin/library", label: "nav.folders" },
  { to: "/admin/services", label: "nav.services" },
  { to: "/admin/storage", label: "nav.storage" },
  { to: "/admin/streams", label: "nav.streams" },
];

/** The account, how Kinora looks here, what administrators do, and the way out. */
export function AccountPanel({ who }: { who: User }) {
  const fail = (error: unknown) => notify(messageOf(error), { kind: "error" });
  return (
    <>
      <MenuLink to="/account">{t("nav.account")}</MenuLink>
      {who.role === "admin" && adminPages.length > 0 && (
        <fieldset class="menu-part">
          <legend>{t("nav.administration")}</legend>
          {adminPages.map(({ to, label }) => (
            <MenuLink key={to} to={to}>
              {t(label)}
            </MenuLink>
          ))}
        </fieldset>
      )}
      <fieldset class="menu-part segments">
        <legend>{t("nav.appearance")}</legend>
        {themes.map((name) => (
          <button key={name} type="button" aria-pressed={theme.value === name} onClick={() => chooseTheme(name)}>
            {t(`theme.${name}`)}
          </button>
        ))}
      </fieldset>
      <fieldset class="menu-part segments">
        <legend>{t("nav.language")}</legend>
        {languages.map(({ code, name }) => (
          <button
            key={code}
            type="button"
            lang={code}
            aria-pressed={language.value === code}
            onClick={() => void chooseLanguage(code).catch(fail)}
          >
            {name}
          </button>
        ))}
      </fieldset>
      <button type="button" class="menu-item" onClick={() => void signOut().catch(fail)}>
        {t("nav.sign-out")}
      </button>
    </>
  );
}

function MenuLink({ to, children }: { to: string; children: preact.ComponentChildren }) {
  return (
    <a class="menu-item" href={to} aria-current={here.value.path === to ? "page" : undefined}>
      {children}
    </a>
  );
}
