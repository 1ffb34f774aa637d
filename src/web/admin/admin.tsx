import { adminPages } from "../components/account-panel.tsx";
import { Heading } from "../components/heading.tsx";
import { t } from "../i18n/i18n.ts";
import "../messages/en/account.ts";
import "../messages/en/admin.ts";
import { here } from "../router.ts";
import { user } from "../session.ts";
import { whereToGo } from "../where-to-go.tsx";
import { FoldersPage } from "./folders.tsx";
import { ServicesPage } from "./services.tsx";
import { StoragePage } from "./storage.tsx";
import { StreamsPage } from "./streams.tsx";
import { UsersPage } from "./users.tsx";

const pages: Readonly<Record<string, () => preact.VNode>> = {
  "/admin/users": UsersPage,
  "/admin/library": FoldersPage,
  "/admin/services": ServicesPage,
  "/admin/storage": StoragePage,
  "/admin/streams": StreamsPage,
};

/** The pages of administrators. For others there is no such page. */
export function AdminPage() {
  const { path } = here.value;
  const entry = adminPages.find(({ to }) => to === path);
  const Page = pages[path];
  if (!entry || !Page || user.value?.role !== "admin")
    return (
      <section class="message">
        <h1>{t("app.no-page")}</h1>
        <p>{whereToGo()}</p>
      </section>
    );
  return (
    <section class="admin settings">
      <Heading key={path} title={t(entry.label)} />
      <nav class="tabs" aria-label={t("nav.administration")}>
        {adminPages.map(({ to, label }) => (
          <a key={to} href={to} aria-current={to === path ? "page" : undefined}>
            {t(label)}
          </a>
        ))}
      </nav>
      <Page key={path} />
    </section>
  );
}
