import { useLayoutEffect, useState } from "preact/hooks";
import type { Title } from "../../catalog/contract.ts";

/** Many titles chosen together, to do something with all of them. */
export interface Selection {
  /** Whether titles are being selected, even when none is yet. */
  readonly active: boolean;
  readonly ids: ReadonlySet<string>;
  begin(): void;
  end(): void;
  toggle(id: string): void;
  add(ids: readonly string[]): void;
  /** Everything between the last one touched and this one. */
  extendTo(id: string, items: readonly Pick<Title, "id">[]): void;
}

interface State {
  readonly active: boolean;
  readonly ids: ReadonlySet<string>;
  readonly anchor: string | null;
}

const nothing: State = { active: false, ids: new Set(), anchor: null };

/** The selection of a list. Escape ends it, as does another list (`key`). */
export function useSelection(key: string): Selection {
  const [state, setState] = useState<State>(nothing);
  // At once: later it would take back what somebody has selected meanwhile, and the next key might come before it.
  useLayoutEffect(() => setState(nothing), [key]);
  useLayoutEffect(() => {
    if (!state.active) return;
    const onKey = (event: KeyboardEvent) => {
      // An open dialog or menu takes Escape for itself.
      const open = document.querySelector("dialog[open], :popover-open");
      if (event.key === "Escape" && !open) setState(nothing);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [state.active]);
  return {
    ...state,
    begin: () => setState({ ...nothing, active: true }),
    end: () => setState(nothing),
    toggle: (id) => setState((before) => ({ active: true, ids: toggled(before.ids, id), anchor: id })),
    add: (ids) => setState((before) => ({ ...before, ids: new Set([...before.ids, ...ids]) })),
    extendTo: (id, items) => setState((before) => extended(before, id, items)),
  };
}

function toggled(ids: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(ids);
  if (!next.delete(id)) next.add(id);
  return next;
}

function extended(before: State, id: string, items: readonly Pick<Title, "id">[]): State {
  const to = items.findIndex((item) => item.id === id);
  const from = items.findIndex((item) => item.id === before.anchor);
  const [low, high] = from < 0 ? [to, to] : [Math.min(from, to), Math.max(from, to)];
  const range = items.slice(low, high + 1).map((item) => item.id);
  return { active: true, ids: new Set([...before.ids, ...range]), anchor: before.anchor ?? id };
}
