import { t } from "../i18n/i18n.ts";
import { here } from "../router.ts";
import { mayUpload, signInAddress, user } from "../session.ts";
import { overallPercent } from "../upload/state.ts";
import { AccountMenu } from "./account-menu.tsx";
import { Mark } from "./icons.tsx";

/** The way around, who is signed in, and how far a running upload is. */
export function Header() {
  const who = user.value;
  return (
    <header class="site">
      <a class="wordmark" href="/" aria-label={t("nav.start")}>
        <Mark />
        <span>Kinora</span>
      </a>
      {who && (
        <nav aria-label={t("nav.label")}>
          {mayUpload(who) && <NavLink to="/videos">{t("nav.videos")}</NavLink>}
          <NavLink to="/library">{t("nav.library")}</NavLink>
          <NavLink to="/collections">{t("nav.collections")}</NavLink>
          {mayUpload(who) && (
            <NavLink to="/upload">
              {t("nav.upload")}
              {overallPercent.value !== null && (
                <span class="count">{t("nav.percent", { percent: overallPercent.value })}</span>
              )}
            </NavLink>
          )}
        </nav>
      )}
      {who ? (
        <div class="who">
          <AccountMenu who={who} />
        </div>
      ) : (
        here.value.path !== "/sign-in" && (
          <div class="who">
            <a href={signInAddress()}>{t("nav.sign-in")}</a>
          </div>
        )
      )}
    </header>
  );
}

function NavLink({ to, children }: { to: string; children: preact.ComponentChildren }) {
  const { path } = here.value;
  const current = path === to ? "page" : path.startsWith(`${to}/`) ? "true" : undefined;
  return (
    <a href={to} aria-current={current}>
      {children}
    </a>
  );
}
