import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { Skeleton } from "../components/parts.tsx";
import { Section } from "../components/section.tsx";
import type { Loaded } from "../components/use-loaded.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/account.ts";
import { lazy } from "../lazy.tsx";
import type { TwoFactorTask } from "./account-two-factor.tsx";

const TwoFactorDialog = lazy(async () => (await import("./account-two-factor.tsx")).TwoFactorDialog, { quiet: true });

export const loadTwoFactor = async () =>
  (await call<{ user: { twoFactorEnabled?: boolean | null } } | null>("GET", "/api/auth/get-session"))?.user
    .twoFactorEnabled === true;

/** Whether signing in takes a code as well, and how that is changed. */
export function TwoFactor({ isOn, onChanged }: { isOn: Loaded<boolean>; onChanged(): void }) {
  const [task, setTask] = useState<TwoFactorTask | null>(null);
  const close = () => {
    setTask(null);
    onChanged();
  };
  return (
    <Section heading={t("account.two-factor")} text={t("account.two-factor-why")}>
      {isOn.problem && (
        <p class="problem" role="alert">
          {isOn.problem}
        </p>
      )}
      {isOn.data === null && !isOn.problem && <Skeleton lines={1} />}
      {isOn.data !== null && (
        <p>
          <span class={`badge ${isOn.data ? "good" : ""}`}>
            {t(isOn.data ? "account.two-factor-on" : "account.two-factor-off")}
          </span>
        </p>
      )}
      {isOn.data === false && (
        <div class="actions">
          <button type="button" onClick={() => setTask("begin")}>
            {t("account.two-factor-begin")}
          </button>
        </div>
      )}
      {isOn.data && (
        <div class="actions">
          <button type="button" onClick={() => setTask("codes")}>
            {t("account.new-codes")}
          </button>
          <button type="button" class="danger" onClick={() => setTask("end")}>
            {t("account.two-factor-end")}
          </button>
        </div>
      )}
      {task && <TwoFactorDialog task={task} onClose={close} />}
    </Section>
  );
}
