import { useState } from "preact/hooks";
import type { User } from "../../auth/contract.ts";
import { t } from "../i18n/i18n.ts";
import { lazy } from "../lazy.tsx";
import { Menu } from "./menu.tsx";

const AccountPanel = lazy(async () => (await import("./account-panel.tsx")).AccountPanel, { plain: true });

/** Who is signed in; opens what they can do about it. */
export function AccountMenu({ who }: { who: User }) {
  const [opened, setOpened] = useState(false);
  return (
    <Menu
      id="account-menu"
      class="username"
      label={t("nav.account-of", { name: who.username })}
      button={<span class="username-text">{who.username}</span>}
      onOpen={() => setOpened(true)}
    >
      {opened && <AccountPanel who={who} />}
    </Menu>
  );
}
