import type { MessageTable } from "../../i18n/define.ts";

/**
 * What refusals mean, by their code. In English the server's own sentence is shown, which knows more; these are the
 * model for the other languages.
 */
export const errors = {
  "refused.account-disabled": "This account has been disabled. Ask an admin.",
  "refused.changed-meanwhile": "Somebody else has changed this meanwhile. Load the page again.",
  "refused.conflict": "Somebody else changed this at the same moment. Load the page again.",
  "refused.disk-full": "The server's disk is full.",
  "refused.empty": "The file has no bytes.",
  "refused.forbidden": "You are not allowed to do this.",
  "refused.internal": "Something went wrong in the server. Try again.",
  "refused.invalid-invite": "This invitation is unknown, used already or too old. Ask an admin for a new one.",
  "refused.invalid-request": "The server did not understand this.",
  "refused.last-admin": "This is the last active admin. Make somebody else admin first.",
  "refused.not-a-video": "This file is no video that Kinora can read.",
  "refused.not-found": "There is nothing at this address.",
  "refused.private-to-owner": "This is private: only its owner makes links to it. Its visibility can be changed.",
  "refused.quota-exceeded": "Your space is used up.",
  "refused.rate-limited": "Too many attempts. Try again in a moment.",
  "refused.sound-only": "This file has sound only, no picture.",
  "refused.temporary-unavailable": "A part of the server is away. Try again in a moment.",
  "refused.too-large": "This is larger than the server accepts.",
  "refused.truncated": "The video ends before its index says. Copy the whole file.",
  "refused.two-factor-required": "This code is not right, or has been used already.",
  "refused.unauthorized": "You are not signed in, or name and password do not fit.",
  "refused.wrong-media-id": "There is no such video, or it is not shared with you.",
  "refused.wrong-password": "The password is not right. Type it again.",
} as const satisfies MessageTable;
