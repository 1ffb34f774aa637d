import { define } from "../../i18n/define.ts";

/** Signing in, and a new account. */
export const signIn = define({
  "sign-in.heading": "Sign in",
  "sign-in.new": "New here?",
  "sign-in.first": "The first account",
  "sign-in.lead": "New here? Choose a name and a password.",
  "sign-in.new-lead": "Nobody is called “{name}” yet. Type the password once more to create the account.",
  "sign-in.first-lead":
    "Create the first account; it will be the administrator. Type the password once more to create it.",
  "sign-in.name": "Name",
  "sign-in.password": "Password",
  "sign-in.password-rule": "8 characters or more",
  "sign-in.again": "Password, once more",
  "sign-in.create": "Create account",
  "sign-in.continue": "Continue",
  "sign-in.back": "Back",
  "sign-in.have-invitation": "I have an invitation",
  "sign-in.invitation": "Invitation",
  "sign-in.invitation-hint": "The code an admin gave you",
  "sign-in.setup-code": "Setup code",
  "sign-in.setup-code-hint": "Printed where Kinora was started",
  "sign-in.not-same": "The two passwords are not the same. Type the second one again.",
  "sign-in.administrator": "Your account is the administrator’s.",
  "sign-in.no-fit": "Name and password do not fit. Check both and try again.",
  "sign-in.not-the-code": "This is not the setup code. {where}",
  "sign-in.takes-code": "The first account takes a setup code, so that nobody else becomes administrator. {where}",
  "sign-in.where-code":
    "It stands in the terminal, or the log, where Kinora was started: “The first account … takes this code”.",
  "sign-in.name-rules": "Letters, digits, dot, dash and underscore",
  "sign-in.no-spaces": "A name has no spaces. Try “{name}”.",
  "sign-in.wrong-letter": "“{letter}” cannot be in a name: only letters a to z, digits, dot, dash and underscore.",
  "sign-in.too-short": "A name has 2 characters or more.",
  "sign-in.small-letters": "Capital letters become small: “{name}”.",
});
