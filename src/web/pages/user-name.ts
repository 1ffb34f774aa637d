import { t } from "../i18n/i18n.ts";
import "../messages/en/sign-in.ts";

interface NameAdvice {
  readonly text: string;
  /** Whether the server would refuse the name. */
  readonly refused: boolean;
}

/** What to say of a name while it is typed; null when there is nothing to say. */
export function adviseName(name: string): NameAdvice | null {
  if (name === "") return null;
  if (/\s/.test(name)) {
    const joined = name.toLowerCase().replace(/\s+/g, ".");
    return { text: t("sign-in.no-spaces", { name: joined }), refused: true };
  }
  const wrong = /[^A-Za-z0-9._-]/u.exec(name)?.[0];
  if (wrong)
    return {
      text: t("sign-in.wrong-letter", { letter: wrong }),
      refused: true,
    };
  if (name.length < 2) return { text: t("sign-in.too-short"), refused: true };
  const small = name.toLowerCase();
  return small === name ? null : { text: t("sign-in.small-letters", { name: small }), refused: false };
}
