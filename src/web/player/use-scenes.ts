import { useEffect, useRef } from "preact/hooks";
import type { Title } from "../../catalog/contract.ts";
import { hasSegments } from "./attach.ts";
import { canPlayType, findUndecodable } from "./decode.ts";
import type { Scenes, ScenesOptions } from "./scenes.ts";

/** Whether places of a video can be shown: nothing is asked for to find out. */
export function hasScenes(title: Title): boolean {
  return hasSegments(title) && findUndecodable(title, canPlayType).video === null && !savesData();
}

function savesData(): boolean {
  const { connection } = navigator as Navigator & { readonly connection?: { readonly saveData?: boolean } };
  return connection?.saveData === true || matchMedia("(prefers-reduced-data: reduce)").matches;
}

/**
 * Pictures of the places of a title, for a time line. The result is told the place that is wanted, in seconds, and null
 * when none is. Until the first is wanted nothing is loaded, not even the code.
 */
export function useScenes(title: Title, options: Omit<ScenesOptions, "titleId">): (seconds: number | null) => void {
  const latest = useRef(options);
  latest.current = options;
  const want = useRef<(seconds: number | null) => void>(() => {});
  const { grant } = options;
  useEffect(() => {
    let loading: Promise<Scenes | null> | null = null;
    let wanted: number | null = null;
    let isHere = true;
    const load = async () => {
      try {
        const { Scenes } = await import("./scenes.ts");
        return new Scenes({
          titleId: title.id,
          grant,
          show: (picture) => latest.current.show(picture),
          wait: () => latest.current.wait(),
          onRefused: () => latest.current.onRefused(),
        });
      } catch {
        // Another try may work.
        loading = null;
        return null;
      }
    };
    want.current = (seconds) => {
      wanted = seconds;
      if (!loading && (seconds === null || !hasScenes(title))) return;
      loading ??= load();
      void loading.then((scenes) => isHere && scenes?.want(wanted));
    };
    return () => {
      isHere = false;
      want.current = () => {};
      void loading?.then((scenes) => scenes?.close());
    };
  }, [title.id, grant]);
  return useRef((seconds: number | null) => want.current(seconds)).current;
}
