import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface SectionProps {
  readonly id?: string;
  readonly heading: string;
  readonly text?: string;
  /** What stands at the right of the heading. */
  readonly action?: ComponentChildren;
  /** `beside`: heading and text at the left, the rest at the right of them where there is room. */
  readonly layout?: "beside" | "below";
  readonly children: ComponentChildren;
}

/** A part of a page of settings: what it is about, and what can be done. */
export function Section({ id: sectionId, heading, text, action, layout = "beside", children }: SectionProps) {
  const id = useId();
  return (
    <section id={sectionId} class={`setting ${layout}`} aria-labelledby={id}>
      <div class="setting-head">
        {/* Takes the focus of what went below it. */}
        <h2 id={id} tabIndex={-1}>
          {heading}
        </h2>
        {text && <p class="setting-text">{text}</p>}
        {action && <div class="actions">{action}</div>}
      </div>
      <div class="setting-body">{children}</div>
    </section>
  );
}
