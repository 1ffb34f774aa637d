import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/** Whether nothing has the focus: what had it is gone or was switched off. */
const isLost = () => document.activeElement === null || document.activeElement === document.body;

/** Gives the focus that was lost to `element`, else to the page's heading. */
export function giveFocus(element?: HTMLElement | null): void {
  if (isLost()) (element ?? document.querySelector<HTMLElement>("main h1"))?.focus({ preventScroll: true });
}

/**
 * Passes the focus on when what had it inside `box` is taken away, to `next` or the page's heading: on `<body>`, keys do
 * nothing and a screen reader begins at the top. For the component that takes it away, or one around it.
 */
export function useKeptFocus(box: RefObject<HTMLElement | null>, next: () => HTMLElement | null | undefined): void {
  const inside = useRef(false);
  // Before the document changes: afterwards nobody can tell who had it.
  inside.current = box.current?.contains(document.activeElement) ?? false;
  useLayoutEffect(() => {
    if (inside.current) giveFocus(next());
  });
  useLayoutEffect(
    () => () => {
      // Whatever comes in its place may take the focus first.
      if (box.current?.contains(document.activeElement)) setTimeout(giveFocus);
    },
    [],
  );
}
