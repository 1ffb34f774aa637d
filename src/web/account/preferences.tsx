import { messageOf } from "../api.ts";
import { Section } from "../components/section.tsx";
import { chooseLanguage, language, t } from "../i18n/i18n.ts";
import { languages } from "../i18n/languages.ts";
import "../messages/en/account.ts";
import { notify } from "../notices.tsx";
import { chooseTheme, theme, themes } from "../theme.ts";

/** How Kinora looks and speaks in this browser. */
export function Preferences() {
  const fail = (error: unknown) => notify(messageOf(error), { kind: "error" });
  return (
    <Section heading={t("account.preferences")} text={t("account.preferences-why")}>
      <fieldset class="options">
        <legend>{t("nav.appearance")}</legend>
        {themes.map((name) => (
          <label key={name} class="choice">
            <input type="radio" name="theme" checked={theme.value === name} onChange={() => chooseTheme(name)} />
            {t(`theme.${name}`)}
          </label>
        ))}
      </fieldset>
      <fieldset class="options">
        <legend>{t("nav.language")}</legend>
        {languages.map(({ code, name }) => (
          <label key={code} class="choice" lang={code}>
            <input
              type="radio"
              name="language"
              checked={language.value === code}
              onChange={() => void chooseLanguage(code).catch(fail)}
            />
            {name}
          </label>
        ))}
      </fieldset>
    </Section>
  );
}
