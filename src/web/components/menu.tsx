import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { here } from "../router.ts";

interface MenuProps {
  /** Unique on the page. */
  readonly id: string;
  /** What the button is called where its content does not say it. */
  readonly label?: string;
  readonly class?: string;
  readonly disabled?: boolean;
  readonly button: ComponentChildren;
  readonly children: ComponentChildren;
  onOpen?(): void;
}

/**
 * A button with a panel that opens beside it: links, buttons, fields. Escape, a press elsewhere, a chosen `.menu-item`
 * and another page close it, and the focus goes back to the button. The arrows move between what is inside.
 */
export function Menu({ id, label, class: className, disabled, button, children, onOpen }: MenuProps) {
  const opener = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  // At once: later it would close what somebody has opened meanwhile.
  useLayoutEffect(() => hide(panel.current), [here.value.path]);
  useEffect(() => {
    const element = panel.current;
    if (!element) return;
    // What is inside may come later than the panel opens.
    const observer = new ResizeObserver(() => place(element, opener.current));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return (
    <>
      <button ref={opener} type="button" class={className} aria-label={label} disabled={disabled} popovertarget={id}>
        {button}
        <span class="caret" aria-hidden="true" />
      </button>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is no popover */}
      <div
        ref={panel}
        id={id}
        class="menu"
        popover="auto"
        role="group"
        aria-label={label}
        onBeforeToggle={(event) => {
          if ((event as unknown as ToggleEvent).newState === "open") onOpen?.();
        }}
        onClick={(event) => {
          if (event.target instanceof Element && event.target.closest(".menu-item")) hide(panel.current);
        }}
        onKeyDown={moveByArrows}
      >
        {children}
      </div>
    </>
  );
}

function hide(panel: HTMLElement | null): void {
  if (panel?.matches(":popover-open")) panel.hidePopover();
}

/** Below the button, else above it, else over it: inside the window. */
function place(panel: HTMLElement, opener: HTMLElement | null): void {
  if (!opener || !panel.matches(":popover-open")) return;
  const { left, bottom, top } = opener.getBoundingClientRect();
  const { offsetWidth, offsetHeight } = panel;
  // Without the room that is kept for a scroll bar.
  const room = document.body.clientWidth - offsetWidth - 8;
  const below = bottom + 6;
  panel.style.setProperty("--left", `${Math.max(8, Math.min(left, room))}px`);
  const above = top - offsetHeight - 6;
  const fitting = below + offsetHeight + 8 <= innerHeight ? below : above >= 8 ? above : innerHeight - offsetHeight - 8;
  panel.style.setProperty("--top", `${Math.max(8, fitting)}px`);
}

function moveByArrows(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const panel = event.currentTarget;
  if (step === undefined || !(panel instanceof HTMLElement)) return;
  if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
  const stops = [...panel.querySelectorAll<HTMLElement>("a[href], button:not(:disabled), input, select")];
  const now = stops.findIndex((stop) => stop.matches(":focus"));
  stops.at((now + step) % stops.length)?.focus();
  event.preventDefault();
}
