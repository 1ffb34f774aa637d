import { define } from "../../i18n/define.ts";

/** Signing in, and a new account. */
export const signIn = define({
  "sign-in.heading": "Sign in",
  "sign-in.new": "New here?",
  "sign-in.first": "Create the administrator's account",
  "sign-in.invited": "You are invited",
  "sign-in.lead": "New here? Choose a name and a password.",
  "sign-in.new-lead": "Nobody is called “{name}” yet. Type the password once more to create the account.",
  "sign-in.first-lead":
    "Nobody has an account here yet. Choose a name and a password: the first account becomes the administrator.",
  "sign-in.invited-lead": "Choose a name and a password for your account here.",
  "sign-in.ended-lead":
    "Your session has ended: on another page or device, or because it was too old. Sign in to go on where you were.",
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
  "sign-in.second": "One more step",
  "sign-in.second-lead": "Type the code that your authenticator app shows for Kinora.",
  "sign-in.second-code": "Code",
  "sign-in.second-hint": "Six digits, or one of your backup codes",
  "sign-in.wrong-code": "This code is not right, or has been used already. Type the one that the app shows now.",
  "sign-in.setup-code": "Setup code",
  "sign-in.setup-code-hint":
    "It stands in the terminal, or the log, where Kinora was started: “The first account … takes this code”.",
  "sign-in.not-same": "The two passwords are not the same. Type the second one again.",
  "sign-in.administrator": "You are the administrator of this Kinora.",
  "sign-in.taken": "The name “{name}” is taken. Choose another one.",
  "sign-in.have-account": "I have an account: sign in",
  "sign-in.no-fit": "Name and password do not fit. Check both and try again.",
  "sign-in.not-the-code": "This is not the setup code. Type it as it was printed.",
  "sign-in.takes-code":
    "The first account takes a setup code, so that nobody else becomes administrator. Type it below the password.",
  "sign-in.name-rules": "Letters, digits, dot, dash and underscore",
  "sign-in.no-spaces": "A name has no spaces. Try “{name}”.",
  "sign-in.wrong-letter": "“{letter}” cannot be in a name: only letters a to z, digits, dot, dash and underscore.",
  "sign-in.too-short": "A name has 2 characters or more.",
  "sign-in.small-letters": "Capital letters become small: “{name}”.",
});
