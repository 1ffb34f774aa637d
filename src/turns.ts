/** How long one piece of work goes on before everything else has a turn. */
const TURN_MS = 5;

/**
 * For long work of many small steps that are done at once: awaited between them, it lets the rest of the process have
 * its turn now and then, and costs nothing else.
 */
export function turns(): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < TURN_MS) return undefined;
    return new Promise((resolve) =>
      setImmediate(() => {
        since = performance.now();
        resolve();
      }),
    );
  };
}
