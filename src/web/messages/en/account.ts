import { define } from "../../i18n/define.ts";

/** The account page. */
export const account = define({
  "account.heading": "Account",
  "account.signed-in-admin": "Signed in as <b>{name}</b>, administrator.",
  "account.signed-in-editor": "Signed in as <b>{name}</b>, may watch and upload.",
  "account.signed-in-viewer": "Signed in as <b>{name}</b>, may watch.",
  "account.change-password": "Change password",
  "account.current": "Current password",
  "account.new": "New password",
  "account.again": "New password, once more",
  "account.rule": "8 characters or more",
  "account.not-same": "The two new passwords are not the same.",
  "account.changed": "Password changed. You are signed out everywhere else.",

  "nav.account": "Account",
  "nav.appearance": "Appearance",
  "nav.language": "Language",
  "nav.administration": "Administration",
  "nav.users": "Users",
  "nav.folders": "Folders",
  "nav.services": "Services",
  "nav.storage": "Storage",
  "nav.streams": "Streams now",
  "nav.sign-out": "Sign out",
  "theme.system": "System",
  "theme.light": "Light",
  "theme.dark": "Dark",
});
