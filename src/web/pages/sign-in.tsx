import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, messageOf } from "../api.ts";
import { Heading } from "../components/heading.tsx";
import { here, navigate, relativeAddress } from "../router.ts";
import { signIn, startPage, user } from "../session.ts";

/** What the form asks for: first name and password; for a name that is new, the password once more. */
type Step = "sign-in" | "new-account";

/** A code the server asks for before it creates an account. */
type CodeKind = "invite" | "setupCode";

/** One form that signs in, or creates the account when the name is new and the password was typed twice. */
export function SignInPage() {
  const [step, setStep] = useState<Step>("sign-in");
  const [codeKind, setCodeKind] = useState<CodeKind | null>(here.peek().query.has("invite") ? "invite" : null);
  const [username, setUsername] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const wait = useCountdown();
  const again = useRef<HTMLInputElement>(null);

  useEffect(() => {
    if (user.value) void goOn();
  }, []);
  useEffect(() => {
    if (step === "new-account") again.current?.focus();
  }, [step]);

  const fail = (error: unknown) => {
    if (error instanceof ApiError && error.code === "unknown-user") return setStep("new-account");
    if (error instanceof ApiError && error.code === "setup-code-required") setCodeKind("setupCode");
    if (error instanceof ApiError && error.status === 429) wait.start(error.retryAfterSeconds ?? 30);
    setProblem(explain(error));
  };
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? "");
    setProblem(null);
    if (step === "new-account" && text("again") !== text("password")) {
      setProblem("The two passwords are not the same. Type the second one again.");
      return again.current?.select();
    }
    setBusy(true);
    try {
      const code = text("code").trim();
      await signIn({
        username: text("username"),
        password: text("password"),
        create: step === "new-account",
        ...(codeKind && code ? { [codeKind]: code } : {}),
      });
      await goOn();
    } catch (error) {
      fail(error);
    } finally {
      setBusy(false);
    }
  };

  const rename = (value: string) => {
    setUsername(value);
    setStep("sign-in");
    setProblem(null);
  };
  return (
    <section class="sign-in">
      <Heading title="Sign in">{step === "sign-in" ? "Sign in" : "New here?"}</Heading>
      <p class="lead">
        {step === "sign-in"
          ? "New here? Choose a name and a password."
          : `Nobody is called “${username}” yet. Type the password once more to create the account.`}
      </p>
      <form onSubmit={(event) => void submit(event)} aria-describedby="sign-in-problem">
        <label class="field">
          <span>Name</span>
          <input
            name="username"
            value={username}
            onInput={(event) => rename(event.currentTarget.value)}
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            required
            pattern="[A-Za-z0-9._\-]{2,64}"
            title="2 to 64 letters, digits, dots, hyphens or underscores"
            autofocus
          />
        </label>
        <label class="field">
          <span>Password</span>
          <input
            name="password"
            type="password"
            autocomplete={step === "sign-in" ? "current-password" : "new-password"}
            required
            minLength={8}
            maxLength={256}
          />
          <small>8 characters or more</small>
        </label>
        {step === "new-account" && (
          <label class="field">
            <span>Password, once more</span>
            <input ref={again} name="again" type="password" autocomplete="new-password" required />
          </label>
        )}
        {codeKind && <CodeField kind={codeKind} />}
        <p id="sign-in-problem" class="problem" role="alert">
          {wait.seconds > 0 ? `Too many attempts. Try again in ${wait.seconds} s.` : problem}
        </p>
        <div class="actions">
          <button type="submit" class="primary" disabled={busy || wait.seconds > 0}>
            {step === "sign-in" ? "Continue" : "Create account"}
          </button>
          {step === "new-account" && (
            <button type="button" class="plain" onClick={() => setStep("sign-in")}>
              Back
            </button>
          )}
          {step === "sign-in" && codeKind === null && (
            <button type="button" class="plain" onClick={() => setCodeKind("invite")}>
              I have an invitation
            </button>
          )}
        </div>
      </form>
    </section>
  );
}

function CodeField({ kind }: { kind: CodeKind }) {
  return (
    <label class="field">
      <span>{kind === "invite" ? "Invitation" : "Setup code"}</span>
      <input
        name="code"
        autocomplete="off"
        spellcheck={false}
        maxLength={100}
        defaultValue={kind === "invite" ? (here.peek().query.get("invite") ?? "") : ""}
      />
      <small>{kind === "invite" ? "The code an admin gave you" : "Printed by the server when it started"}</small>
    </label>
  );
}

/** To the page that was wanted, else to where this person starts. */
async function goOn(): Promise<void> {
  const wanted = relativeAddress(here.peek().query.get("next"));
  navigate(wanted ?? (await startPage()), { replace: true });
}

function explain(error: unknown): string {
  if (!(error instanceof ApiError)) return messageOf(error);
  if (error.code === "unauthorized") return "Name and password do not fit. Check both and try again.";
  return error.message;
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
