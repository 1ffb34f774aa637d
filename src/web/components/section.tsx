import type { ComponentChildren } from "preact";
import { useId, useRef } from "preact/hooks";

interface SectionProps {
  readonly heading: string;
  readonly text?: string;
  /** What stands at the right of the heading. */
  readonly action?: ComponentChildren;
  /** `beside`: heading and text at the left, the rest at the right of them where there is room. */
  readonly layout?: "beside" | "below";
  /** Focusing it tells where one is after something below it has gone. */
  readonly headingRef?: { current: HTMLHeadingElement | null };
  readonly children: ComponentChildren;
}

/** A part of a page of settings: what it is about, and what can be done. */
export function Section({ heading, text, action, layout = "beside", headingRef, children }: SectionProps) {
  const id = useId();
  const own = useRef<HTMLHeadingElement>(null);
  return (
    <section class={`setting ${layout}`} aria-labelledby={id}>
      <div class="setting-head">
        <h2 id={id} ref={headingRef ?? own} tabIndex={-1}>
          {heading}
        </h2>
        {text && <p class="setting-text">{text}</p>}
        {action && <div class="actions">{action}</div>}
      </div>
      <div class="setting-body">{children}</div>
    </section>
  );
}
