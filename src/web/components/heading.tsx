import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

let firstPage = true;

/** A page's heading. Takes the focus when one page follows another, so that keyboard and screen reader start there. */
export function Heading({ title, children }: { title: string; children?: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Kinora`;
  }, [title]);
  useEffect(() => {
    // A field with `autofocus` keeps it, and the video that a list was left by.
    const typing = document.activeElement?.matches("input, textarea, .stop");
    // A page begins at its top, wherever its heading is.
    if (!firstPage && !typing) heading.current?.focus({ preventScroll: true });
    firstPage = false;
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children ?? title}
    </h1>
  );
}
