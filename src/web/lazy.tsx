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
    useEffect(() => {
      if (!loaded) void start().then(() => setIsTried(true));
    }, []);
    if (loaded) {
      const Loaded = loaded;
      return <Loaded {...props} />;
    }
    if (quiet) return null;
    return isTried ? <NotLoaded /> : <div aria-busy="true" />;
  };
  return Object.assign(Page, { preload: () => void start() });
}

function NotLoaded() {
  return (
    <section class="message" role="alert">
      <h1>{t("app.not-loaded")}</h1>
      <p>{t("app.check-connection")}</p>
      <button type="button" onClick={() => location.reload()}>
        {t("app.load-again")}
      </button>
    </section>
  );
}
