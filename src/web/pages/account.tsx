import { ApiKeys, loadApiKeys } from "../account/api-keys.tsx";
import { DeletedTitles } from "../account/deleted.tsx";
import { Password } from "../account/password.tsx";
import { Preferences } from "../account/preferences.tsx";
import { loadSessions, Sessions } from "../account/sessions.tsx";
import { loadTwoFactor, TwoFactor } from "../account/two-factor.tsx";
import { messageOf } from "../api.ts";
import { Heading } from "../components/heading.tsx";
import { useLoaded } from "../components/use-loaded.ts";
import { rich, t } from "../i18n/i18n.ts";
import "../messages/en/account.ts";
import { notify } from "../notices.tsx";
import { signOut, user } from "../session.ts";

/** Who I am, how I sign in, where I am signed in, and the way out. */
export function AccountPage() {
  const sessions = useLoaded(loadSessions);
  const keys = useLoaded(loadApiKeys);
  const twoFactor = useLoaded(loadTwoFactor);
  const who = user.value;
  if (!who) return null;
  const leave = () => {
    signOut().catch((error: unknown) => notify(messageOf(error), { kind: "error" }));
  };
  return (
    <section class="account settings" aria-label={t("account.heading")}>
      <div class="title-bar">
        <div>
          <Heading title={t("account.heading")} />
          <p class="lead">
            {rich(`account.signed-in-${who.role}`, { b: (text) => <strong>{text}</strong> }, { name: who.username })}
          </p>
        </div>
        <button type="button" onClick={leave}>
          {t("nav.sign-out")}
        </button>
      </div>
      <Password
        username={who.username}
        onChanged={() => {
          void sessions.reload();
          void keys.reload();
        }}
      />
      <TwoFactor
        isOn={twoFactor}
        onChanged={() => {
          void twoFactor.reload();
          // The session has another id from now on.
          void sessions.reload();
        }}
      />
      <Sessions sessions={sessions} />
      <ApiKeys keys={keys} />
      <DeletedTitles />
      <Preferences />
    </section>
  );
}
