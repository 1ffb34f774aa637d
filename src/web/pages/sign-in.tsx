import { type Key, t } from "../i18n/i18n.ts";
import "../messages/en/sign-in.ts";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, messageOf } from "../api.ts";
import { Heading } from "../components/heading.tsx";
import { notify } from "../notices.tsx";
import { here, navigate, relativeAddress } from "../router.ts";
import { firstAccount, sessionEnded, signIn, startPage, user } from "../session.ts";
import { UploadPage } from "./lazy-pages.ts";
import { adviseName } from "./user-name.ts";

/** What the form asks for: first name and password; for a name that is new, the password once more; all at once with an invitation; or the second factor. */
type Step = "sign-in" | "invited" | "new-account" | "first-account" | "second-factor";

/** A code the server asks for before it creates an account. */
type CodeKind = "invite" | "setupCode";

/** One form that signs in, or creates the account when the name is new and the password was typed twice. */
export function SignInPage() {
  const [codeKind, setCodeKind] = useState<CodeKind | null>(codeAtStart);
  const start: Step = firstAccount.value ? "first-account" : codeKind === "invite" ? "invited" : "sign-in";
  const [step, setStep] = useState<Step>(start);
  const [username, setUsername] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const wait = useCountdown();
  const again = useRef<HTMLInputElement>(null);
  const isNew = step === "new-account" || step === "first-account" || step === "invited";

  useEffect(() => {
    if (user.value) void goOn();
    // Where somebody who is new here goes next.
    UploadPage.preload();
  }, []);
  useEffect(() => {
    // Other forms begin with it.
    if (step === "new-account") again.current?.focus();
  }, [step]);

  const fail = (error: unknown) => {
    if (error instanceof ApiError && error.status === 401 && firstAccount.peek()) {
      // Somebody else was faster.
      firstAccount.value = null;
      setStep("sign-in");
    }
    if (error instanceof ApiError && error.code === "unknown-user")
      return setStep(error.members.first === true ? "first-account" : "new-account");
    if (error instanceof ApiError && error.code === "two-factor-required") {
      setStep("second-factor");
      if (step !== "second-factor") return;
    }
    if (error instanceof ApiError && error.code === "setup-code-required") setCodeKind("setupCode");
    if (error instanceof ApiError && error.status === 429) wait.start(error.retryAfterSeconds ?? 30);
    const isTaken = step === "invited" && error instanceof ApiError && error.code === "conflict";
    setProblem(isTaken ? t("sign-in.taken", { name: username.trim().toLowerCase() }) : explain(error, codeKind));
  };
  const change = (next: "sign-in" | "invited") => {
    setProblem(null);
    setCodeKind(next === "invited" ? "invite" : null);
    setStep(next);
  };
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? "");
    setProblem(null);
    if (isNew && text("again") !== text("password")) {
      setProblem(t("sign-in.not-same"));
      return again.current?.select();
    }
    setBusy(true);
    try {
      const code = text("code").trim();
      await signIn({
        username: text("username").trim(),
        password: text("password"),
        create: isNew,
        ...(codeKind && code ? { [codeKind]: code } : {}),
        ...(step === "second-factor" ? { twoFactorCode: text("second") } : {}),
      });
      if (step === "first-account" && user.peek()?.role === "admin") notify(t("sign-in.administrator"));
      await goOn();
    } catch (error) {
      fail(error);
    } finally {
      setBusy(false);
    }
  };

  const rename = (value: string) => {
    setUsername(value);
    setStep(start);
    setProblem(null);
  };
  return (
    <section class="sign-in">
      <Heading title={t(headings[step])} />
      <p class="lead" role="status">
        {leads[step](username.trim().toLowerCase())}
      </p>
      <form onSubmit={(event) => void submit(event)} aria-describedby="sign-in-problem">
        <NameField value={username} onInput={rename} hidden={step === "second-factor"} />
        <label class="field" hidden={step === "second-factor"}>
          <span>{t("sign-in.password")}</span>
          <input
            name="password"
            type="password"
            autocomplete={isNew ? "new-password" : "current-password"}
            required
            minLength={8}
            maxLength={256}
          />
          <small>{t("sign-in.password-rule")}</small>
        </label>
        {isNew && (
          <label class="field">
            <span>{t("sign-in.again")}</span>
            <input ref={again} name="again" type="password" autocomplete="new-password" required />
          </label>
        )}
        {step === "second-factor" && <SecondFactorField />}
        {codeKind && step !== "second-factor" && (
          <CodeField kind={codeKind} required={start !== "first-account" || codeKind === "setupCode"} />
        )}
        <p id="sign-in-problem" class="problem" role="alert">
          {wait.seconds > 0 ? t("error.too-many", { seconds: wait.seconds }) : problem}
        </p>
        <div class="actions">
          <button type="submit" class="primary" disabled={busy || wait.seconds > 0}>
            {t(isNew ? "sign-in.create" : "sign-in.continue")}
          </button>
          {step !== start && (
            <button
              type="button"
              class="plain"
              onClick={() => {
                setProblem(null);
                setStep(start);
              }}
            >
              {t("sign-in.back")}
            </button>
          )}
          {step === "sign-in" && codeKind === null && (
            <button type="button" class="plain" onClick={() => change("invited")}>
              {t("sign-in.have-invitation")}
            </button>
          )}
          {step === "invited" && (
            <button type="button" class="plain" onClick={() => change("sign-in")}>
              {t("sign-in.have-account")}
            </button>
          )}
        </div>
      </form>
    </section>
  );
}

const headings = {
  "sign-in": "sign-in.heading",
  invited: "sign-in.invited",
  "new-account": "sign-in.new",
  "first-account": "sign-in.first",
  "second-factor": "sign-in.second",
} as const satisfies Readonly<Record<Step, Key>>;

const leads: Readonly<Record<Step, (name: string) => string>> = {
  "sign-in": () => t(sessionEnded.value ? "sign-in.ended-lead" : "sign-in.lead"),
  invited: () => t("sign-in.invited-lead"),
  "new-account": (name) => t("sign-in.new-lead", { name }),
  "first-account": () => t("sign-in.first-lead"),
  "second-factor": () => t("sign-in.second-lead"),
};

const isInvited = () => here.value.query.has("invite");

function codeAtStart(): CodeKind | null {
  if (isInvited()) return "invite";
  return firstAccount.peek()?.takesSetupCode ? "setupCode" : null;
}

/** The name, with what may stand in it. */
interface NameFieldProps {
  readonly value: string;
  readonly hidden: boolean;
  onInput(value: string): void;
}

function NameField({ value, hidden, onInput }: NameFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  const advice = adviseName(value.trim());
  useEffect(() => input.current?.setCustomValidity(advice?.refused ? advice.text : ""), [advice?.text]);
  return (
    <div class="field" hidden={hidden}>
      <label for="user-name">{t("sign-in.name")}</label>
      <input
        ref={input}
        id="user-name"
        name="username"
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
        autocomplete="username"
        autocapitalize="none"
        spellcheck={false}
        required
        maxLength={64}
        aria-describedby="name-rules"
        autofocus
      />
      <small id="name-rules" class={advice?.refused ? "problem" : undefined} aria-live="polite">
        {advice?.text ?? t("sign-in.name-rules")}
      </small>
    </div>
  );
}

function SecondFactorField() {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  return (
    <label class="field">
      <span>{t("sign-in.second-code")}</span>
      <input
        ref={input}
        name="second"
        class="code"
        autocomplete="one-time-code"
        autocapitalize="none"
        spellcheck={false}
        required
        maxLength={20}
      />
      <small>{t("sign-in.second-hint")}</small>
    </label>
  );
}

// The hint says what `startMessage` of the command line prints.
function CodeField({ kind, required }: { kind: CodeKind; required: boolean }) {
  return (
    <label class="field">
      <span>{t(kind === "invite" ? "sign-in.invitation" : "sign-in.setup-code")}</span>
      <input
        name="code"
        required={required}
        autocomplete="off"
        spellcheck={false}
        maxLength={100}
        defaultValue={kind === "invite" ? (here.peek().query.get("invite") ?? "") : ""}
      />
      <small>{t(kind === "invite" ? "sign-in.invitation-hint" : "sign-in.setup-code-hint")}</small>
    </label>
  );
}

/** To the page that was wanted, else to where this person starts. */
async function goOn(): Promise<void> {
  const wanted = relativeAddress(here.peek().query.get("next"));
  navigate(wanted ?? (await startPage()), { replace: true });
}

/** What a refusal means for the person in front of it; `asked` is the code that was on the form. */
function explain(error: unknown, asked: CodeKind | null): string {
  if (!(error instanceof ApiError)) return messageOf(error);
  if (error.code === "unauthorized") return t("sign-in.no-fit");
  if (error.code === "two-factor-required") return t("sign-in.wrong-code");
  if (error.code !== "setup-code-required") return messageOf(error);
  return t(asked === "setupCode" ? "sign-in.not-the-code" : "sign-in.takes-code");
}

/** Seconds until something is allowed again, counting down. */
function useCountdown(): { seconds: number; start(seconds: number): void } {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    if (seconds <= 0) return;
    const timer = setTimeout(() => setSeconds(seconds - 1), 1000);
    return () => clearTimeout(timer);
  }, [seconds]);
  return { seconds, start: (value) => setSeconds(Math.ceil(value)) };
}
