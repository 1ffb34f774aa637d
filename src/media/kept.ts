import type { Presentation } from "./presentation.ts";

const kept = new WeakMap<Presentation, Map<string, unknown>>();

/**
 * What `make` gives, made once for a presentation and kept as long as it: for what takes time and follows from the
 * presentation and `key` alone. The key names the kind of thing as well.
 */
export function keptFor<T>(presentation: Presentation, key: string, make: () => T): T {
  const known = kept.get(presentation) ?? new Map<string, unknown>();
  kept.set(presentation, known);
  if (!known.has(key)) known.set(key, make());
  return known.get(key) as T;
}
