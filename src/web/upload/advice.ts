import { findText, language } from "../i18n/i18n.ts";
import "../messages/en/upload.ts";
import { ApiError, messageOf } from "../api.ts";
import { refusalOf } from "../refusal.ts";

/** What happened to an upload and what to do now. */
export function adviceFor(error: unknown): string {
  if (!(error instanceof ApiError)) return messageOf(error);
  const known = findText(`advice.${refusalOf(error.code, error.message)}`);
  // The server's own sentence has the figures: how large is too large.
  if (known && (error.code === "too-large" || error.code === "quota-exceeded"))
    return language.value === "en" ? `${known} ${error.message}` : known;
  return known ?? messageOf(error);
}

/** Whether trying the same file again can help, continuing where it stopped. */
export function mayContinue(error: unknown): boolean {
  if (!(error instanceof ApiError)) return true;
  return error.status === 0 || error.status >= 500 || error.status === 429 || error.status === 423;
}
