import { useEffect } from "preact/hooks";

/** Asks again every so often, while the page is seen. */
export function useRefreshed(reload: () => Promise<void>, everyMs: number): void {
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") void reload();
    }, everyMs);
    return () => clearInterval(timer);
  }, [reload, everyMs]);
}
