import { useEffect, useState } from "preact/hooks";
import { language } from "../i18n/i18n.ts";
import type { Language } from "../i18n/languages.ts";
import { loadWords } from "./player-code.ts";

/** The language whose words for the controls are there: that of the page, a moment after a switch. */
export function useWords(): Language {
  const [loaded, setLoaded] = useState(language.value);
  useEffect(() => {
    const wanted = language.peek();
    void loadWords().then(() => language.peek() === wanted && setLoaded(wanted));
  }, [language.value]);
  return loaded;
}
