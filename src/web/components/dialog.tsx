import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { t } from "../i18n/i18n.ts";

interface DialogProps {
  readonly heading: string;
  readonly class?: string;
  readonly children: ComponentChildren;
  /** Called when it is closed, by whatever: a button, Escape, a press beside it. */
  onClose(): void;
}

/** A modal dialog, open for as long as it is rendered; the focus goes back to where it was. */
export function Dialog({ heading, class: className = "", children, onClose }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const headingId = useId();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`dialog ${className}`}
      aria-labelledby={headingId}
      onClose={onClose}
      onMouseDown={(event) => {
        // The dialog has no padding of its own: what is hit is the backdrop.
        if (event.target === event.currentTarget) event.currentTarget.close();
      }}
    >
      <div class="dialog-body">
        <div class="dialog-head">
          <h2 id={headingId}>{heading}</h2>
          <button type="button" class="plain close" aria-label={t("do.close")} onClick={() => dialog.current?.close()}>
            ×
          </button>
        </div>
        {children}
      </div>
    </dialog>
  );
}
