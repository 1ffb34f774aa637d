import { signal } from "@preact/signals";

export interface Location {
  readonly path: string;
  readonly query: URLSearchParams;
}

const read = (): Location => ({ path: location.pathname, query: new URLSearchParams(location.search) });

/** Where we are. */
export const here = signal<Location>(read());

/** Goes to an address of this app; `replace` leaves no entry in the history. */
export function navigate(to: string, options: { replace?: boolean } = {}): void {
  const before = here.peek().path;
  history[options.replace ? "replaceState" : "pushState"](null, "", to);
  here.value = read();
  if (here.peek().path !== before) scrollTo(0, 0);
}

/** Follows links inside the app without loading the page again, and the browser's back and forward. */
export function startRouter(): void {
  addEventListener("popstate", () => {
    here.value = read();
  });
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute("download")) return;
    if (link.origin !== location.origin || link.getAttribute("href")?.startsWith("#")) return;
    event.preventDefault();
    navigate(link.pathname + link.search);
  });
}

/** `wanted` when it is an address of this site, else null: a link must not lead elsewhere after sign-in. */
export function relativeAddress(wanted: string | null, origin = location.origin): string | null {
  if (!wanted?.startsWith("/") || /^\/[/\\]/.test(wanted)) return null;
  const url = URL.parse(wanted, origin);
  if (url?.origin !== origin || url.pathname === "/sign-in" || url.pathname.startsWith("//")) return null;
  return url.pathname + url.search;
}
