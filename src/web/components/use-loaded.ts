import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { messageOf } from "../api.ts";

export interface Loaded<T> {
  /** Null until it is there. */
  readonly data: T | null;
  readonly problem: string | null;
  /** Asks again; what is there stays until the answer comes. */
  reload(): Promise<void>;
}

/** What the server answers, asked when the page opens and whenever `keys` change. */
export function useLoaded<T>(load: () => Promise<T>, keys: readonly unknown[] = []): Loaded<T> {
  const [data, setData] = useState<T | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const last = useRef(0);
  const reload = useCallback(async () => {
    const turn = ++last.current;
    try {
      const answer = await load();
      // An answer to an older question must not replace a newer one's.
      if (turn !== last.current) return;
      setData(answer);
      setProblem(null);
    } catch (error) {
      if (turn === last.current) setProblem(messageOf(error));
    }
  }, keys);
  useEffect(() => {
    void reload();
    return () => {
      last.current++;
    };
  }, [reload]);
  return { data, problem, reload };
}
