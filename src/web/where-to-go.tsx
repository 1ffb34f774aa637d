import type { VNode } from "preact";
import { rich } from "./i18n/i18n.ts";

/** From a page that has nothing to show, the ways to those that have. */
export function whereToGo(): (string | VNode)[] {
  return rich("app.go-to", {
    videos: (text) => <a href="/videos">{text}</a>,
    library: (text) => <a href="/library">{text}</a>,
  });
}
