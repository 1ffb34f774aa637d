import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "./i18n/i18n.ts";
import { loadMoreStyle } from "./more-style.ts";

/** A page whose code is loaded when it is opened, or before, when somebody is likely to open it next. */
export interface LazyPage<Props extends object> {
  (props: Props): preact.VNode | null;
  preload(): void;
}

/**
 * Makes a page of what `load` brings; it is loaded once, and shown without delay from then on. `quiet`: where it stands
 * beside others, nothing is there until it is, and nothing when it cannot be loaded. `plain`: needs none of the styles that come later.
 */
export function lazy<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  { quiet = false, plain = false }: { quiet?: boolean; plain?: boolean } = {},
): LazyPage<Props> {
  let loaded: ComponentType<Props> | null = null;
  let loading: Promise<unknown> | null = null;
  const start = () => {
    loading ??= Promise.all([load(), plain ? null : loadMoreStyle()]).then(
      ([component]) => {
        loaded = component;
      },
      () => {
        // Another try may work.
        loading = null;
      },
    );
    return loading;
  };
  const Page = (props: Props) => {
    const [isTried, setIsTried] = useState(false);
    const [, setRound] = useState(0);
    const isThere = loaded !== null;
    useEffect(() => {
      // Also where the code has come since this was rendered: nothing else would show it.
      if (!isThere) void start().then(() => setIsTried(true));
    }, []);
    if (loaded) {
      const Loaded = loaded;
      return <Loaded {...props} />;
    }
    if (quiet) return null;
    const again = async () => {
      await start();
      setRound((round) => round + 1);
      return loaded !== null;
    };
    return isTried ? <NotLoaded again={again} /> : <div aria-busy="true" />;
  };
  return Object.assign(Page, { preload: () => void start() });
}

const AGAIN_MS = 3_000;

/** Tries again by itself: the server or the network may be back. `again` tells whether the code is there now. */
function NotLoaded({ again }: { again: () => Promise<boolean> }) {
  useEffect(() => {
    const ask = () => void again();
    const timer = setInterval(ask, AGAIN_MS);
    addEventListener("online", ask);
    return () => {
      clearInterval(timer);
      removeEventListener("online", ask);
    };
  }, []);
  // Some browsers keep a failure to load code until the page is loaded anew, as after an update of the server.
  const loadAgain = async () => {
    if (!(await again())) location.reload();
  };
  return (
    <section class="message" role="alert">
      <h1>{t("app.not-loaded")}</h1>
      <p>{t("app.check-connection")}</p>
      <button type="button" onClick={() => void loadAgain()}>
        {t("app.load-again")}
      </button>
    </section>
  );
}
