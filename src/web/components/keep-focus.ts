/** What gives the focus back to whatever had it before, instead of passing it on beside itself. */
const GIVES_BACK = "dialog, [data-focus-back]";
const ITEM = "li, tr, [data-cell]";
const STOPS =
  "a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), summary";
const HEADING = "h1[tabindex], h2[tabindex]";
/** As far as one goes back from dialog to dialog. */
const LONGEST_TRAIL = 12;

interface Stop {
  readonly element: HTMLElement;
  /** What it stands in and goes away with. */
  readonly within: Element | null;
}

/**
 * Keeps the focus on the page: on `<body>`, where browsers put it when what had it is taken away, keys do nothing and a
 * screen reader begins at the top (WCAG 2.2, 2.4.3). Whatever is taken away passes it on, in this order: a row to the
 * same control of the row after or before it; a dialog, and what has `data-focus-back`, to what had the focus before;
 * anything else to the item or form that it was in, or to the heading of its section; a page to the next one's heading.
 * Nothing happens where somebody has put the focus elsewhere meanwhile, or pressed beside everything.
 */
export function keepFocus(): void {
  /** What had the focus, the last one last; those that were taken away are replaced by what comes after them. */
  let trail: readonly Stop[] = [];
  let isKept = false;
  const follow = (element: HTMLElement) => {
    isKept = true;
    const others = trail.filter((stop) => stop.element !== element);
    trail = [...others, stopOf(element)].slice(-LONGEST_TRAIL);
  };
  if (document.activeElement instanceof HTMLElement && !isLost()) follow(document.activeElement);
  document.addEventListener("focusin", ({ target }) => target instanceof HTMLElement && follow(target));
  document.addEventListener("focusout", ({ target, relatedTarget }) => {
    if (relatedTarget || !(target instanceof HTMLElement)) return;
    // What is taken away, hidden or switched off loses it too: this is known only afterwards.
    queueMicrotask(() => {
      if (isLost() && document.hasFocus() && canTakeFocus(target)) isKept = false;
    });
  });
  new MutationObserver((records) => {
    for (const record of records) trail = trailAfter(trail, record);
    if (isKept && isLost()) giveTo(trail);
  }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["disabled"] });
}

const stopOf = (element: HTMLElement): Stop => ({ element, within: element.closest(GIVES_BACK) });

const isLost = () => document.activeElement === null || document.activeElement === document.body;

const canTakeFocus = (element: HTMLElement) =>
  element.isConnected && element.checkVisibility() && !element.matches(":disabled");

function giveTo(trail: readonly Stop[]): void {
  // What is only switched off for a moment gets it when it is on again.
  if (trail.at(-1)?.element.matches(":disabled")) return;
  const last = trail.findLast(({ element }) => canTakeFocus(element))?.element;
  (last ?? document.querySelector<HTMLElement>("main h1"))?.focus({ preventScroll: true });
  last?.scrollIntoView({ block: "nearest" });
}

function trailAfter(trail: readonly Stop[], record: MutationRecord): readonly Stop[] {
  let after = trail;
  for (const node of record.removedNodes) {
    if (!(node instanceof Element) || node.isConnected) continue;
    if (node.querySelector("h1")) return [];
    after = after.flatMap((stop) => (node.contains(stop.element) ? (successors(stop, node, record) ?? []) : [stop]));
  }
  return after;
}

/** What comes after a stop that was taken away with `removed`. */
function successors({ element, within }: Stop, removed: Element, record: MutationRecord): Stop[] {
  if (within && (!within.isConnected || within.matches("[data-focus-back]"))) return [];
  const next = (removed.matches(ITEM) ? inRowBeside(element, record) : null) ?? around(record.target);
  return next ? [stopOf(next)] : [];
}

/** The same control of the next row that has one, else of the one before. */
function inRowBeside(element: HTMLElement, { nextSibling, previousSibling }: MutationRecord): HTMLElement | null {
  for (const [first, step] of [
    [nextSibling, "nextSibling"],
    [previousSibling, "previousSibling"],
  ] as const)
    for (let row = first; row; row = row[step]) {
      const stops = row instanceof Element && row.isConnected ? stopsIn(row) : [];
      const same = stops.find(({ className }) => className === element.className) ?? stops[0];
      if (same) return same;
    }
  return null;
}

function around(target: Node): HTMLElement | null {
  for (let box: Node | null = target; box; box = box.parentNode) {
    if (!(box instanceof Element) || !box.isConnected) continue;
    if (box.matches(`${ITEM}, search`)) {
      const stops = stopsIn(box);
      const stop = stops.find(({ tabIndex }) => tabIndex >= 0) ?? stops[0];
      if (stop) return stop;
    }
    const heading = box.matches("section, dialog, main") ? box.querySelector<HTMLElement>(HEADING) : null;
    if (heading) return heading;
  }
  return null;
}

const stopsIn = (box: Element) => [...box.querySelectorAll<HTMLElement>(STOPS)];
