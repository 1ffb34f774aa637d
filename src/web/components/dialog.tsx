import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { t } from "../i18n/i18n.ts";

interface DialogProps {
  readonly heading: string;
  readonly class?: string;
  readonly children: ComponentChildren;
  /** A paragraph that is read out with the heading. */
  readonly text?: string;
  /** Called when it is closed, by whatever: a button, Escape, a press beside it. */
  onClose(): void;
  /** Instead of closing by Escape or a press beside it, which it then does not; nor has it a cross. */
  onDismiss?(): void;
}

/** A modal dialog, open for as long as it is rendered; the focus goes back to where it was (`keepFocus`). */
export function Dialog({ heading, class: className = "", text, children, onClose, onDismiss }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const headingId = useId();
  const textId = useId();
  // At once, so that a dialog that follows another one takes the focus from it.
  useLayoutEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class={`dialog ${className}`}
      aria-labelledby={headingId}
      aria-describedby={text && textId}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !onDismiss) return;
        event.preventDefault();
        onDismiss();
      }}
      onClose={(event) => {
        if (!onDismiss) return onClose();
        // A phone's back gesture: browsers let no page refuse it for ever.
        event.currentTarget.showModal();
        onDismiss();
      }}
      onMouseDown={(event) => {
        // The dialog has no padding of its own: what is hit is the backdrop.
        if (event.target !== event.currentTarget) return;
        if (!onDismiss) return event.currentTarget.close();
        event.preventDefault();
        onDismiss();
      }}
    >
      <div class="dialog-body">
        <div class="dialog-head">
          <h2 id={headingId} tabIndex={-1}>
            {heading}
          </h2>
          {!onDismiss && (
            <button
              type="button"
              class="plain close"
              aria-label={t("do.close")}
              onClick={() => dialog.current?.close()}
            >
              ×
            </button>
          )}
        </div>
        {text && <p id={textId}>{text}</p>}
        {children}
      </div>
    </dialog>
  );
}
