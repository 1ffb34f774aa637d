import { batch, signal } from "@preact/signals";

export interface Location {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** What an entry of the browser's history remembers, so that going back shows what was there. */
export interface Remembered {
  /** Its place in the history: tells how far one has gone. */
  readonly entry?: number;
  /** Pixels from the top. */
  readonly scrollY?: number;
  /** The chosen title of a list. */
  readonly chosenId?: string | null;
  /** The title of a list that was opened. */
  readonly leftId?: string;
  /** How many titles a list showed. */
  readonly shown?: number;
}

const read = (): Location => ({ path: location.pathname, query: new URLSearchParams(location.search) });

const addressOf = ({ path, query }: Location) => `${path}?${query}`;

/** Where we are. */
export const here = signal<Location>(read());

/** Grows with every step back or forward in the history. */
export const steps = signal(0);

/** What the current entry of the history remembers. */
export function remembered(): Remembered {
  const state: unknown = history.state;
  return typeof state === "object" && state !== null ? state : {};
}

/** Adds to what the current entry of the history remembers. */
export function remember(more: Remembered): void {
  history.replaceState({ ...remembered(), ...more }, "");
}

let entry = 0;
let refuse: (() => void) | null = null;

/**
 * Keeps the page here until the answer is called: back and forward in the history lead back here at once and call
 * `onRefused`; before another site, a reload and the end of the window, the browser asks.
 */
export function stayHere(onRefused: () => void): () => void {
  const ask = (event: BeforeUnloadEvent) => event.preventDefault();
  refuse = onRefused;
  addEventListener("beforeunload", ask);
  return () => {
    refuse = null;
    removeEventListener("beforeunload", ask);
  };
}

/** Goes to an address of this app; `replace` leaves no entry in the history. */
export function navigate(to: string, options: { replace?: boolean } = {}): void {
  const before = options.replace ? here.peek().path : addressOf(here.peek());
  if (options.replace) {
    history.replaceState({ entry }, "", to);
  } else {
    remember({ scrollY });
    history.pushState({ entry: ++entry }, "", to);
  }
  here.value = read();
  if ((options.replace ? here.peek().path : addressOf(here.peek())) !== before) scrollTo(0, 0);
}

/** Follows links inside the app without loading the page again, and the browser's back and forward. */
export function startRouter(): void {
  // The browser would scroll before the page is there.
  history.scrollRestoration = "manual";
  entry = remembered().entry ?? 0;
  remember({ entry });
  addEventListener("pagehide", () => remember({ scrollY }));
  addEventListener("popstate", () => {
    // Links within a page make entries that nothing is known of: those are beside it.
    const to = remembered().entry ?? entry - 1;
    if (refuse) {
      if (to === entry) return;
      history.go(entry - to);
      return refuse();
    }
    entry = to;
    const before = addressOf(here.peek());
    batch(() => {
      here.value = read();
      // Links within a page are not steps.
      if (addressOf(here.peek()) !== before) steps.value++;
    });
    if (addressOf(here.peek()) !== before) scrollTo(0, remembered().scrollY ?? 0);
  });
  swallowSecondClicks();
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

/**
 * The second half of a double click was meant for the page where the first one was, not for whatever stands in its
 * place on the next.
 */
function swallowSecondClicks(): void {
  let pathOfFirst = here.peek().path;
  document.addEventListener(
    "click",
    (event) => {
      if (event.detail <= 1) pathOfFirst = here.peek().path;
      else if (here.peek().path !== pathOfFirst) {
        event.preventDefault();
        event.stopImmediatePropagation();
      }
    },
    { capture: true },
  );
}

/** `wanted` when it is an address of this site, else null: a link must not lead elsewhere after sign-in. */
export function relativeAddress(wanted: string | null, origin = location.origin): string | null {
  if (!wanted?.startsWith("/") || /^\/[/\\]/.test(wanted)) return null;
  const url = URL.parse(wanted, origin);
  if (url?.origin !== origin || url.pathname === "/sign-in" || url.pathname.startsWith("//")) return null;
  return url.pathname + url.search;
}
