import { useRef } from "preact/hooks";
import type { Title } from "../../catalog/contract.ts";
import type { Selection } from "./selection.ts";

/** How long a finger rests on a video to select it, as on phones everywhere. */
const LONG_PRESS_MS = 500;
/** What a resting finger moves. */
const STILL_PX = 10;

/**
 * Selecting without the button: Shift and a click takes everything since the last one, a long press begins. The result
 * is for the element around the items, which carry their id as `data-cell`.
 */
export function usePressToSelect(selection: Selection, items: readonly Title[]) {
  const press = useRef({ timer: 0, x: 0, y: 0, done: false });
  const { current } = press;
  const idAt = ({ target }: Event) =>
    (target instanceof Element && target.closest<HTMLElement>("[data-cell]")?.dataset.cell) || null;
  const letGo = () => clearTimeout(current.timer);
  return {
    onPointerDown: (event: PointerEvent) => {
      letGo();
      current.done = false;
      const id = idAt(event);
      if (event.pointerType !== "touch" || !id || selection.active) return;
      [current.x, current.y] = [event.clientX, event.clientY];
      current.timer = window.setTimeout(() => {
        current.done = true;
        selection.toggle(id);
      }, LONG_PRESS_MS);
    },
    onPointerMove: ({ clientX, clientY }: PointerEvent) => {
      if (Math.hypot(clientX - current.x, clientY - current.y) > STILL_PX) letGo();
    },
    onPointerUp: letGo,
    onPointerCancel: letGo,
    onContextMenu: (event: Event) => current.done && event.preventDefault(),
    onClickCapture: (event: MouseEvent) => {
      const id = idAt(event);
      const isControl = event.target instanceof Element && event.target.closest("button, [type=checkbox]");
      const extends_ = event.shiftKey && id !== null && !isControl;
      if (extends_) selection.extendTo(id, items);
      // The finger that selected was lifted: that is no press on what lies under it.
      if (!extends_ && !current.done) return;
      current.done = false;
      event.preventDefault();
      event.stopPropagation();
    },
  };
}
