import type { VNode } from "preact";
import { rich } from "./i18n/i18n.ts";
import { signInAddress, user } from "./session.ts";

/** From a page that has nothing to show, the ways to those that have; for visitors, what an account could change. */
export function whereToGo(): (string | VNode)[] {
  if (!user.value) return rich("app.have-account", { in: (text) => <a href={signInAddress()}>{text}</a> });
  return rich("app.go-to", {
    videos: (text) => <a href="/videos">{text}</a>,
    library: (text) => <a href="/library">{text}</a>,
  });
}
